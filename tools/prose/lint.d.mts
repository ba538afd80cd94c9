export function lintProse(path: string, source: string): Promise<readonly { line: number; message: string }[]>
