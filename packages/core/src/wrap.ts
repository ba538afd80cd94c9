// Types and helpers for the function wrapper and the method decorator. The engine runs the wrapped functions.
import { NAME_LENGTH_MAX } from '@sudoagent/ledger/entry'
import { quote, requireName } from './check.js'

// biome-ignore lint/suspicious/noExplicitAny: "any function": parameters are contravariant, so `unknown[]` would accept almost none
export type AnyFunction = (this: any, ...args: any[]) => unknown

/**
 * The type of a guarded function. A function that returns a promise keeps its type, including generics and overloads.
 * Any other function keeps its parameters but returns a promise, because the decision must be recorded before the
 * function runs.
 */
export type Guarded<F extends AnyFunction> = F extends (...args: never[]) => Promise<unknown>
  ? F
  : (this: ThisParameterType<F>, ...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>

/** A method that returns a promise. Only such methods can be guarded without changing the type of their class. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AsyncMethod = (this: any, ...args: any[]) => Promise<unknown>

/**
 * A decorator that works as a standard decorator and, with TypeScript's `experimentalDecorators`, as a legacy
 * decorator.
 */
export interface MethodDecorator {
  <M extends AsyncMethod>(method: M, context: ClassMethodDecoratorContext): M
  <M extends AsyncMethod>(target: object, name: string | symbol, descriptor: TypedPropertyDescriptor<M>): void
}

/**
 * Returns the recorded name of an action.
 *
 * If the name has one or two characters and was not given as `action`, a warning is emitted, because a minifier
 * probably changed the name.
 *
 * @throws TypeError for an anonymous function without an `action`, because the record would not name the action
 */
export function actionOf(fn: AnyFunction, action: string | null): string {
  if (action !== null) return action
  const name: unknown = fn.name
  // `bind` and accessors add a prefix to the name.
  const plain = typeof name === 'string' ? name.replace(/^(?:bound |get |set )+/, '') : ''
  if (plain !== '') {
    if (plain.length <= SHORT_NAME_MAX) warnShortName(plain)
    return requireName('action', plain, NAME_LENGTH_MAX)
  }
  throw new TypeError('an anonymous function requires an `action`: set it in the options, or name the function')
}

/** The maximum length of the names that minifiers usually give to functions. */
const SHORT_NAME_MAX = 2

/** The maximum number of warnings: the number of names with one letter. */
const WARNINGS_MAX = 54

const warned = new Set<string>()

function warnShortName(name: string): void {
  if (warned.has(name) || warned.size >= WARNINGS_MAX) return
  warned.add(name)
  process.emitWarning(
    `the action ${quote(name)} seems to be a function name that a minifier changed: set an \`action\``,
    { code: 'SUDOAGENT_ACTION_NAME' },
  )
}

/**
 * Copies the name and length of the wrapped function to the wrapper, for stack traces and for frameworks that read
 * these properties.
 */
export function copyFunctionIdentity<F extends AnyFunction>(wrapper: AnyFunction, original: F): Guarded<F> {
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true })
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true })
  // The cast is correct: the wrapper passes its arguments through the engine and returns the function's result.
  return wrapper as Guarded<F>
}

/** Creates a decorator from a function that wraps one method. */
export function methodDecorator(wrap: (method: AsyncMethod, name: string) => AsyncMethod): MethodDecorator {
  return ((
    target: unknown,
    contextOrName: ClassMethodDecoratorContext | string | symbol,
    descriptor?: PropertyDescriptor,
  ) => {
    if (typeof contextOrName === 'object' && contextOrName !== null) {
      if (contextOrName.kind !== 'method' || typeof target !== 'function')
        throw new TypeError('only a method can be guarded')
      return wrap(target as AsyncMethod, String(contextOrName.name))
    }
    if (typeof descriptor?.value !== 'function') throw new TypeError('only a method can be guarded')
    descriptor.value = wrap(descriptor.value as AsyncMethod, String(contextOrName))
    return undefined
  }) as MethodDecorator
}
