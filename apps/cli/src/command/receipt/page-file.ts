// Reads the page that verifies receipts in a browser, which is part of this package.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** Next to the chunks of the bundle; this module is one of them. */
export const RECEIPT_PAGE = fileURLToPath(new URL('./receipt.html', import.meta.url))

/** @throws the error of the file system if the installation is incomplete */
export const readReceiptPage = (): Promise<string> => readFile(RECEIPT_PAGE, 'utf8')
