// The page that checks receipts in a browser, which is part of this package.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Beside the chunks of the bundle; this module is one of them. */
export const RECEIPT_PAGE = fileURLToPath(new URL('./receipt.html', import.meta.url))

/** @throws the file system's error: the installation is not complete */
export const readReceiptPage = (): Promise<string> => readFile(RECEIPT_PAGE, 'utf8')
