import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { CryptoError } from '@sudoagent/crypto'
import { describe, expect, it } from 'vitest'
import { readCommitmentKey } from '../../src/commitment/key-file.js'
import { temporaryPath } from '../fixtures/temporary.js'

const BYTES = Uint8Array.from({ length: 32 }, (_, n) => n)

describe('the file of a commitment key', () => {
  const fileOf = (bytes: Uint8Array, mode = 0o600): string => {
    const path = temporaryPath('commitment.key')
    writeFileSync(path, bytes)
    chmodSync(path, mode)
    return path
  }
  const refusal = (path: string): CryptoError => {
    try {
      readCommitmentKey(path)
    } catch (error) {
      if (error instanceof CryptoError) return error
      throw error
    }
    throw new Error('the file was accepted')
  }

  it.each([0o600, 0o400])('is the key, with mode %o', (mode) => {
    expect(readCommitmentKey(fileOf(BYTES, mode))).toEqual(BYTES)
    expect(readCommitmentKey(fileOf(new Uint8Array(4096), mode))).toHaveLength(4096)
  })

  it('may be named by a link', () => {
    const link = temporaryPath('link')
    symlinkSync(fileOf(BYTES), link)
    expect(readCommitmentKey(link)).toEqual(BYTES)
  })

  it.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o604, 0o610, 0o620, 0o602])(
    'with mode %o is refused: other users have access',
    (mode) => {
      const path = fileOf(BYTES, mode)
      const { code, message, hint } = refusal(path)
      expect({ code, hint }).toEqual({ code: 'KEY_INVALID', hint: 'run `chmod 600` on the file' })
      expect(message).toContain(`gives other users access (mode 0${mode.toString(8)})`)
    },
  )

  it.each([0, 31, 4097, 100_000])('of %i bytes is refused', (length) => {
    const { code, hint } = refusal(fileOf(new Uint8Array(length)))
    expect({ code, hint }).toEqual({ code: 'KEY_INVALID', hint: expect.stringContaining('umask 077') })
  })

  it('is neither a folder nor a pipe', () => {
    const [folder, pipe] = [temporaryPath('folder'), temporaryPath('pipe')]
    mkdirSync(folder)
    expect(refusal(folder).message).toContain('is not a regular file')
    if (process.platform === 'win32') return
    execFileSync('mkfifo', ['-m', '600', pipe])
    expect(refusal(pipe).message).toContain('is not a regular file')
  })

  it('exists', () => {
    expect(() => readCommitmentKey(temporaryPath('none'))).toThrow(/ENOENT/)
  })
})
