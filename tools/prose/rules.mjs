// Habits that the project's prose has dropped. Each rule has a sentence that it must find and a sentence that it
// must accept; the tests check both.
//
// A space in a pattern matches any white space, including a line break. Code spans are replaced by the placeholder
// ▮. A passage starts with word joiners (U+2060) where the file has white space or marks.

const rules = [
  {
    id: 'is-no',
    pattern:
      /(?<!\b[Tt]here )\b(?:is|are|was|were|be|been) (?:no(?! longer| more| less| later| earlier| fewer| one\b)|none)\b/,
    advice: '“is not a …”, “none of …”',
    finds: 'A date without a zone is no UTC time.',
    passes: 'There is no limit, and the key is no longer valid.',
  },
  {
    id: 'has-no-chain',
    pattern: /\b(?:has|have|had|with) no [^.;:]{1,60} (?:and|or|nor) no\b/,
    advice: 'one statement each, or “neither … nor …”',
    finds: 'A control entry has no outcome and no receipt.',
    passes: 'A control entry has neither an outcome nor a receipt.',
  },
  {
    id: 'nobody',
    pattern: /\b(?:nobody|somebody|whoever|whomever|whosoever)\b/i,
    advice: 'the passive, or the caller, the writer, the verifier',
    finds: 'Whoever reads the ledger needs the public key.',
    passes: 'The verifier needs the public key.',
  },
  {
    id: 'is-told',
    pattern: /\b(?:is|are|was|were|be|been|being) told\b/,
    advice: 'name what the program receives: “receives …”, “is given …”, “the option is set”',
    finds: 'The engine is told where the ledger is.',
    passes: 'The engine receives the path of the ledger.',
  },
  {
    id: 'unless-given',
    pattern: /\bunless (?:given|told|named|said|asked|set|otherwise|one is given|it is given|something else is)\b/,
    advice: '“default: …”',
    finds: 'Ten minutes unless given.',
    passes: 'Default: ten minutes.',
  },
  {
    id: 'so-much',
    pattern: /\bso (?:much|many)\b/i,
    advice: '“a limit of …”, “at most …”, “that number of …”',
    finds: 'A signer gets so much time.',
    passes: 'A signer has a time limit.',
  },
  { id: 'anew', pattern: /\banew\b/, advice: '“again”', finds: 'It is read anew.', passes: 'It is read again.' },
  {
    id: 'on-record',
    pattern: /\bon record\b/,
    advice: '“recorded”',
    finds: 'The denial is on record.',
    passes: 'The denial is recorded.',
  },
  {
    id: 'held-against',
    pattern: /\b(?:hold|holds|held|holding) (?:\S+ ){0,3}against\b/,
    advice: '“compared with”',
    finds: 'The root is held against the checkpoint.',
    passes: 'The root is compared with the checkpoint.',
  },
  {
    id: 'passed-over',
    pattern: /\bpass(?:es|ed|ing) (?:it |them )?over\b/,
    advice: '“skipped”',
    finds: 'Blank lines are passed over.',
    passes: 'Blank lines are skipped.',
  },
  {
    id: 'put-back',
    pattern: /\b(?:put|puts|putting) (?:it |them )?back\b/,
    advice: '“restored”',
    finds: 'The file is put back.',
    passes: 'The file is restored.',
  },
  {
    id: 'stand',
    pattern: /\b(?:stands|stood|stand)\b(?! for\b|-in\b|alone\b| alone\b| up\b)/,
    advice: '“is”, “is stored”, “is written”',
    finds: 'The head stands in a table.',
    passes: 'The head is stored in a table; ▮ stands for code.',
  },
  {
    id: 'lie',
    pattern:
      /\b(?:lies|lay|lain|lying|lie (?:in|on|at|behind|beside|next|there|below|above|between|before|after|side))\b/,
    advice: '“is stored”, “is in”',
    finds: 'The file lies in a folder.',
    passes: 'The file is in a folder.',
  },
  {
    id: 'hold',
    pattern:
      /\b(?:hold|holds|held)(?=[.,;:)]|\s*$| for (?!\d|longer\b)| (?:true|until|whatever|as long|here|there|too|only|always|still|again)\b)/,
    advice: '“is valid”, “is correct”, “applies”',
    finds: 'The signature does not hold.',
    passes: 'The signature is not valid; the lock is held for 5 ms.',
  },
  {
    id: 'beside',
    pattern: /\bbeside\b/,
    advice: '“next to”, “with”, “in the same folder as”',
    finds: 'The lock file is beside the ledger.',
    passes: 'The lock file is next to the ledger.',
  },
  {
    id: 'behind',
    pattern:
      /(?<!\b(?:left|leaves?|leaving|falls?|fell|lags?) (?:\S+ ){0,2})\bbehind\b(?! (?:an?|the|your|its) (?:\S+ )?(?:proxy|proxies|gateway|balancer|firewall|NAT|pooler|flag|server))/,
    advice: '“after”, “by way of”',
    finds: 'A signature behind entry 35 is invalid.',
    passes: 'A signature after entry 35 is invalid, also behind a proxy.',
  },
  {
    id: 'what-subject',
    pattern:
      /(?:^\u2060*|[.!;:]["')*”]* )["'(*“]*(?:What|Whatever|Who|what (?!to\b))(?![\w'’]* to\b)(?= [^?!.]*(?:[.;:,]|$))/,
    advice: 'begin with the noun: “the head file”, “the pending call”, “the caller”',
    finds: 'What is kept beside the ledger is never written over.',
    passes: 'What is a receipt? The backup is never overwritten.',
    headings: false,
  },
  {
    id: 'what-clause',
    pattern:
      /(?<!^\u2060*)(?<= )what (?:lies|stands|was|were|has been|had|comes|came|goes|belongs|remains|follows|is (?:left|there|meant|kept|known|read|said|asked|given|needed|wanted|owed|open|waited|stored|written|recorded|inside|before|after|below|above))\b(?![^.]*\?)/,
    advice: 'the noun: “the recorded call”, “the remaining entries”',
    finds: 'The guard compares it with what was waited for.',
    passes: 'The guard compares it with the pending call.',
    headings: false,
  },
  {
    id: 'something-else',
    pattern:
      /\b(?:something|anything|nothing|somewhere|another|other) (?:else )?than\b(?<!other than)|\bis something else\b/,
    advice: '“different from”, “is not …”',
    finds: 'It is something else than the beginning of the ledger.',
    passes: 'It is not a prefix of the ledger.',
  },
  {
    id: 'otherwise',
    pattern: /\b(?:settled|decided|resolved|answered|ended|done) otherwise\b/,
    advice: '“resolved differently”',
    finds: 'The approval was settled otherwise.',
    passes: 'The approval was already resolved differently.',
  },
  {
    id: 'no-fits',
    pattern: /\bno \w+ (?:\w+ )?fits?\b/,
    advice: '“no matching …”',
    finds: 'no entry fits',
    passes: 'no matching entries',
  },
  {
    id: 'of-itself',
    pattern: /\bsay(?:s|ing)? (?:\S+ )?(?:of|about) (?:itself|themselves)\b/,
    advice: '“metadata (unverified)”',
    finds: 'It prints what a ledger says of itself.',
    passes: 'It prints the ledger’s metadata (unverified).',
  },
  {
    id: 'vouch',
    pattern: /\bvouch(?:es|ed)?\b/,
    advice: '“is signed by”, “proves”',
    finds: 'No key vouches for it.',
    passes: 'It is not signed by a known key.',
  },
  {
    id: 'never-ends',
    pattern: /\bcome(?:s)? to an end\b|\bcoming to an end\b/,
    advice: '“end”, “finish”; “may hang” for one that never does',
    finds: 'A call that may never come to an end.',
    passes: 'A call that may hang.',
  },
  {
    id: 'on-its-way',
    pattern: /\bon (?:its|their) way\b/,
    advice: '“in progress”, “pending”',
    finds: 'A decision is on its way to the disk.',
    passes: 'The store commits the decision.',
  },
  {
    id: 'holds-back',
    pattern: /\bhold(?:s|ing)? (?:\S+ ){0,4}back\b|\bheld back\b/,
    advice: '“blocks”, “delays”, “back-pressure”',
    finds: 'A side that does not read holds the other one back.',
    passes: 'A side that does not read blocks the other one.',
  },
  {
    id: 'foreign',
    pattern: /\bforeign code\b/,
    advice: '“untrusted code”, “third-party code”',
    finds: 'A signer is foreign code.',
    passes: 'A signer is untrusted code.',
  },
  {
    id: 'whole-story',
    pattern: /\bwhole story\b/,
    advice: '“everything about …”',
    finds: "tell one call's whole story",
    passes: 'show everything about one call',
  },
  {
    id: 'one-try',
    pattern: /\bone try\b/i,
    advice: '“one attempt”',
    finds: 'One try is made.',
    passes: 'One attempt is made.',
  },
]

const anySpace = ({ source, flags }) => new RegExp(source.replaceAll(' ', '\\s+'), `${flags}gu`)

export const RULES = rules.map((rule) => ({ headings: true, ...rule, pattern: anySpace(rule.pattern) }))

/** Line comments and doc comments are wrapped at 100 to 120 columns. */
export const COMMENT_COLUMNS_MAX = 120
