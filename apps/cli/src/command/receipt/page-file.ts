// Reads the HTML page, part of this package, that verifies receipts in a browser.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The page is stored next to the bundle's chunks, and this module is one of the chunks. */
export const RECEIPT_PAGE = fileURLToPath(new URL('./receipt.html', import.meta.url))

/** @throws the file system error if the installation is incomplete */
export const readReceiptPage = (): Promise<string> => readFile(RECEIPT_PAGE, 'utf8')
