export const policy = {
  policyId: 'bench',
  version: '1',
  evaluate: ({ action }) =>
    action === 'echo/echo'
      ? { decision: 'allow', reason: 'echo is fine' }
      : { decision: 'deny', reason: 'not on the list' },
}
