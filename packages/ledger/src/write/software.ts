/** What a genesis entry says wrote it. A test holds the version to that of package.json. */
export const SOFTWARE = { name: '@sudoagent/ledger', version: '0.1.0' } as const
