// Creates X.509 certificates (RFC 5280) for tests, without an external program: a certificate authority, and the
// certificates that it issues.
//
//   Certificate ::= SEQUENCE { tbs, algorithm, BIT STRING signature over tbs }
//   tbs ::= SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, public key, [3] extensions }
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface Certificate {
  readonly pem: string
  /** PEM of the private key (PKCS#8). */
  readonly keyPem: string
}

export interface Authority extends Certificate {
  /** Issues a certificate for a server with these names and IPv4 addresses. Default: valid today. */
  issue(names: readonly string[], validity?: Validity): Certificate
}

interface Validity {
  readonly from: Date
  readonly to: Date
}

const HOUR_MS = 3_600_000

export function makeAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const common = { issuer: name, signer: keys.privateKey }
  const isAuthority = extension('551d13', true, der(0x30, der(0x01, hex('ff'))))
  return {
    ...certify({ ...common, subject: name, keys, extensions: [isAuthority], validity: today() }),
    issue: (names, validity = today()) => {
      const alternatives = extension('551d11', false, der(0x30, ...names.map(alternative)))
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return certify({ ...common, subject: names[0] ?? '', keys: own, extensions: [alternatives], validity })
    },
  }
}

interface Content {
  readonly issuer: string
  readonly subject: string
  readonly signer: KeyObject
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly extensions: readonly Buffer[]
  readonly validity: Validity
}

function certify({ issuer, subject, signer, keys, extensions, validity }: Content): Certificate {
  const ecdsaWithSha256 = der(0x30, der(0x06, hex('2a8648ce3d040302')))
  const tbs = der(
    0x30,
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, hex('01'), randomBytes(8)),
    ecdsaWithSha256,
    commonName(issuer),
    der(0x30, utcTime(validity.from), utcTime(validity.to)),
    commonName(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  const certificate = der(0x30, tbs, ecdsaWithSha256, der(0x03, hex('00'), sign('sha256', tbs, signer)))
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Returns a DER value: tag, length (at most two bytes here), content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')

const commonName = (name: string): Buffer =>
  der(0x30, der(0x31, der(0x30, der(0x06, hex('550403')), der(0x0c, Buffer.from(name)))))

const utcTime = (time: Date): Buffer =>
  der(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`))

const alternative = (name: string): Buffer =>
  isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))

const extension = (id: string, isCritical: boolean, value: Buffer): Buffer =>
  der(0x30, der(0x06, hex(id)), ...(isCritical ? [der(0x01, hex('ff'))] : []), der(0x04, value))

const today = (): Validity => ({ from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + 24 * HOUR_MS) })
