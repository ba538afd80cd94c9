/** Data for `name-rules.ts`: names of secrets, and words that change the meaning of such names. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Sensitive words. An entry may be several neighbouring words joined together. */
export const SENSITIVE: readonly string[] = [
  ...words('auth authorization bearer oauth jwt jwts otp totp hotp creds passcode passcodes cvv cvv2 cvc cvc2'),
  ...words(
    'pwd pswd passwordhash dbpass smtppass userpass sshpass mailpass ftppass rootpass adminpass redispass wifipass',
  ),
  ...words(
    'mysqlpass pgpass ldappass proxypass emailpass keypass storepass dbpw userpw rootpw adminpw ftppw mailpw sshpw',
  ),
  ...words('session sessionkey jsessionid sessid phpsessid aspxauth connectsid cookie cookies setcookie'),
  ...words(
    'sharedaccesssignature sastoken sasurl accountkey appkey consumerkey deploykey encryptionkey hmackey masterkey',
  ),
  ...words('sharedkey signingkey sshkey storagekey subscriptionkey functionkey functionskey servicekey servicerolekey'),
  ...words('presharedkey psk wpapsk privkey privkeys privatepem rsaprivate sshprivate clientkey serverkey licensekey'),
  ...words(
    'mnemonic mnemonics seedphrase recoveryphrase secretphrase walletseed recoverycode recoverycodes backupcode',
  ),
  ...words(
    'backupcodes mfacode otpcode authcode verificationcode securitycode twofactorcode unlockcode connectionstring',
  ),
  ...words('connstr connectionuri'),
  // “Password”, “secret” and “token” in other languages.
  ...words(
    'passwort kennwort geheim geheimnis senha senhas segredo contraseña contraseñas clave claves secreto motdepasse',
  ),
  ...words(
    'mdp jeton wachtwoord wachtwoorden hasło haslo lösenord salasana parola parole şifre jelszó heslo geslo lozinka',
  ),
  ...words(
    'kodeord adgangskode passord parool slaptažodis segreto chiavesegreta пароль пароли секрет токен ключ密 密码 密碼',
  ),
  ...words(
    '口令 令牌 密钥 密鑰 秘钥 パスワード 暗証番号 トークン 秘密鍵 비밀번호 암호 토큰 סיסמה คำรหัสผ่าน รหัสผ่าน κωδικός лозинка',
  ),
  ...words('كلمةالسر كلمةالمرور गुप्तशब्द पासवर्ड'),
]

/** Endings of sensitive words. Ordinary words do not have these endings. */
export const ENDINGS: readonly string[] = [
  ...words('password passwords passwd passphrase secret secrets token tokens apikey apikeys accesskey accesskeys'),
  ...words('secretkey secretkeys privatekey privatekeys credential credentials dbpwd userpwd mysqlpwd rootpwd'),
]

/** Words that are sensitive only as the whole name: `boarding_pass` and `pass_count` are not secrets. */
export const SENSITIVE_ALONE: readonly string[] = words('pass pw sas sig')

/**
 * Settings and counters of language models that count tokens. Policies compare these numbers, so a *number* under such
 * a name is not concealed. Any other value is concealed.
 */
export const TOKEN_COUNTS: readonly string[] = [
  ...words('tokens tokencount tokenlimit tokenbudget tokensused numtokens ntokens budgettokens maxtokens mintokens'),
  ...words('maxoutputtokens maxinputtokens maxcompletiontokens maxnewtokens prompttokens completiontokens totaltokens'),
  ...words('inputtokens outputtokens reasoningtokens thinkingtokens cachedtokens cachereadinputtokens'),
  ...words('cachecreationinputtokens maxtokenstosample'),
]

/** Last words of names that describe a secret but do not contain the secret: `auth_method`, `password_file`. */
export const DESCRIPTORS: readonly string[] = [
  ...words(
    'address addresses age algorithm amount attempts at backend balance banner by consent contract count created',
  ),
  ...words('date days decimals dir directory domain duration email enabled endpoint engine env exists expired expires'),
  ...words(
    'expiration expiry field file filename flow folder format group host hours kind length level limit location',
  ),
  ...words('manager method methods minutes mode name names number on owner path pattern policy policies port price'),
  ...words(
    'provider providers regex region required reset role scheme schemes scope scopes seconds server service size',
  ),
  ...words(
    'standard start state status stdin store strategy strength supply symbol symbols time timeout timestamp title',
  ),
  ...words('topic total ttl type types updated uri url used user username version'),
]

/**
 * Words that make an identifier if `id` follows: `session_id` traces a session, `access_key_id` names a key.
 */
export const IDENTIFIED: readonly string[] = words('session accesskey token auth credential cookie apikey')

/** Words that, before `token`, form the name of a pagination token. */
export const PAGING: readonly string[] = [
  ...words(
    'next page nextpage pagination continuation continue start starting startingtoken cursor sync nextsync resume',
  ),
  ...words('skip delta change marker previous prev list nextlist'),
]
