/** The software named in a genesis entry. A test compares the version with package.json. */
export const SOFTWARE = { name: '@sudoagent/ledger', version: '0.1.0' } as const
