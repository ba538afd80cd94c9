export const RULES: readonly { readonly id: string; readonly finds: string; readonly passes: string }[]
