import {
  accountOf,
  type CancelCommand,
  type Command,
  type CommandGrids,
  cancelAllEverywhere,
  checkFieldNames,
  commandGrids,
  differingField,
  encodeCancel,
  encodeCommand,
  encodeNew,
  encodeReduce,
  encodeReplace,
  type InstrumentCommand,
  instrumentFromCommand,
  maxCommandWords,
  type NewCommand,
  type ReduceCommand,
  type ReplaceCommand,
  type SymbolCommand,
} from '../../../matching/index.js'
import type { CommandBatch, EnginePool, Instrument } from '../../../pool/index.js'
import { unknownSymbol } from '../../../pool/index.js'
import { exitCodes } from '../../exit-codes.js'
import { CliFailure } from '../../failure.js'
import type { CommandSink } from '../../inputs/command-source.js'
import { CommandDigest, LoggedCommands, requestOf } from './logged-commands.js'

/** Questions that are under way at a time. */
const questionsMax = 256

/** How far the reading of the input has come within what is logged of a symbol. */
interface Passed {
  commands: number
  readonly digest: CommandDigest
  /** Accounts whose request ids are the input's own, and those whose ids are given here. */
  readonly ownIds: Set<number>
  readonly givenIds: Set<number>
  readonly grids: CommandGrids
}

/**
 * Where a run of an input stopped, and the way on from there. Every command of the input that can carry a request id
 * gets one: its number in the input. What is durable is passed over: for a command with a request id that is what
 * `lastRequestId` says, for one without it the log. Both must agree, and so must the commands themselves: a log of
 * another input is refused.
 */
export class ResumePoint implements CommandSink {
  /** Resolves when everything that the log holds has been met in the input. */
  readonly caughtUp: Promise<void>
  readonly #pool: EnginePool
  readonly #logged: LoggedCommands
  /** By instrument and account. */
  readonly #lastRequestIds: ReadonlyMap<number, ReadonlyMap<number, number>>
  readonly #batch: CommandBatch
  readonly #passed = new Map<number, Passed>()
  #instruments: ReadonlyMap<number, Instrument> = new Map()
  readonly #words = new Int32Array(maxCommandWords)
  #catchUp: () => void = () => {}
  /** Symbols of which not everything logged has been met. */
  #open: number
  #number = 0
  #skippedHere = 0
  /** Commands that were passed over. */
  skipped = 0

  /**
   * Looks at what the pool's log holds.
   *
   * @throws CliFailure `TIDEMARK_RESUME_TRIMMED` when the beginning of the log is gone.
   */
  static async find(pool: EnginePool): Promise<ResumePoint> {
    const { firstLsn, endLsn } = pool.recovery
    if (firstLsn > 0) {
      throw resumeFailure(
        'TIDEMARK_RESUME_TRIMMED',
        `The log in ${pool.dir} begins at LSN ${firstLsn}; --resume needs all of it, from LSN 0 on.`,
        { dir: pool.dir, firstLsn },
      )
    }
    const logged = await LoggedCommands.read(pool.dir, endLsn)
    return new ResumePoint(pool, logged, await lastRequestIds(pool, logged))
  }

  private constructor(
    pool: EnginePool,
    logged: LoggedCommands,
    requestIds: ReadonlyMap<number, ReadonlyMap<number, number>>,
  ) {
    this.#pool = pool
    this.#logged = logged
    this.#lastRequestIds = requestIds
    this.#batch = pool.batch()
    this.caughtUp = new Promise((resolve) => {
      this.#catchUp = resolve
    })
    this.#open = [...logged.symbols].filter(([, { commands }]) => commands > 0).length
    if (this.#open === 0) this.#catchUp()
  }

  /** Whether everything that the log holds has been met. */
  get isCaughtUp(): boolean {
    return this.#open === 0
  }

  /** What is to be handed over, once `beginFill` and the source have filled it. */
  get batch(): CommandBatch {
    return this.#batch
  }

  /** Commands of this filling, those passed over among them. */
  get length(): number {
    return this.#batch.length + this.#skippedHere
  }

  beginFill(): void {
    this.#skippedHere = 0
  }

  /** @throws CliFailure when the input has come to its end and the log holds more than it. */
  finish(): void {
    for (const [instrumentId, logged] of this.#logged.symbols) {
      const passed = this.#passed.get(instrumentId)?.commands ?? 0
      if (passed >= logged.commands) continue
      const symbol = this.#symbolOf(instrumentId)
      throw otherInput(
        `it holds ${logged.commands} commands of ${symbol}, and the input has ${passed}`,
        symbol,
        logged.lastLsn,
      )
    }
  }

  addNew(
    instrumentId: number,
    orderId: number,
    account: number,
    side: number,
    orderType: number,
    timeInForce: number,
    price: number,
    quantity: number,
    tag: number,
  ): void {
    const requestId = ++this.#number
    const high = (tag / 0x1_0000_0000) | 0
    const words = this.#words
    encodeNew(
      words,
      0,
      instrumentId,
      tag | 0,
      high,
      orderId,
      account,
      side,
      orderType,
      timeInForce,
      0,
      0,
      price,
      quantity,
      0,
      0,
      0,
      requestId,
    )
    this.#take(instrumentId)
  }

  addCancel(instrumentId: number, orderId: number, tag: number, owner: number): void {
    const requestId = ++this.#number
    const high = (tag / 0x1_0000_0000) | 0
    encodeCancel(this.#words, 0, instrumentId, tag | 0, high, orderId, owner, requestId)
    this.#take(instrumentId)
  }

  addReplace(
    instrumentId: number,
    orderId: number,
    price: number,
    quantity: number,
    tag: number,
    owner: number,
  ): void {
    const requestId = ++this.#number
    const high = (tag / 0x1_0000_0000) | 0
    const words = this.#words
    encodeReplace(words, 0, instrumentId, tag | 0, high, orderId, price, quantity, owner, requestId)
    this.#take(instrumentId)
  }

  addReduce(instrumentId: number, orderId: number, quantity: number, tag: number, owner: number): void {
    const requestId = ++this.#number
    const high = (tag / 0x1_0000_0000) | 0
    encodeReduce(this.#words, 0, instrumentId, tag | 0, high, orderId, quantity, owner, requestId)
    this.#take(instrumentId)
  }

  /** A command of one symbol. One that has a request id of its own keeps it; one without an account gets none. */
  add(command: Command): void {
    const number = ++this.#number
    const instrument = this.#pool.instrument((command as SymbolCommand).symbol)
    // A symbol that the log holds already may be one that a later line of the input creates.
    if (!instrument || (this.#logged.symbol(instrument.id)?.createdBy ?? 0) > Number(command.tag ?? 0)) {
      if (instrument) throw unknownSymbol(instrument.symbol)
      this.#batch.add(command)
      return
    }
    const passed = this.#passedOf(instrument.id, instrument)
    const numbered = this.#numbered(command as SymbolCommand, passed, number)
    encodeCommand(this.#words, 0, numbered, passed.grids)
    this.#take(instrument.id)
  }

  /**
   * Whether a command that goes by itself, an instrument, a cancel-all, a block or an unblock, is durable.
   *
   * @throws CommandError when it is malformed; CliFailure when the log holds other commands than the input.
   */
  isDurable(command: Command): boolean {
    const tag = Number(command.tag ?? 0)
    if (command.type === 'cancel-all') {
      if (command.symbol === undefined) cancelAllEverywhere(command)
      else {
        const instrument = this.#pool.instrument(command.symbol)
        if (!instrument) return false
        const grids = commandGrids({ ...instrument, instrumentId: instrument.id })
        encodeCommand(this.#words, 0, command as SymbolCommand, grids)
      }
      // Nothing is handed over after a command that goes by itself before all of it is durable.
      return this.#logged.maxTag > tag
    }
    if (command.type === 'block' || command.type === 'unblock') {
      checkFieldNames(command)
      accountOf(command.account)
      return this.#logged.maxTag > tag
    }
    if (command.type !== 'instrument') return false
    const there = this.#pool.instrument(command.symbol)
    if (!there || this.#logged.symbol(there.id)?.createdBy !== tag) return false
    this.requireSame(command)
    return true
  }

  /** @throws CliFailure when an instrument that is there is not the one that the input defines. */
  requireSame(asked: Omit<InstrumentCommand, 'type'>): void {
    const there = this.#pool.instrument(asked.symbol)
    if (!there) return
    const wish = instrumentFromCommand({ ...asked, type: 'instrument' }, there.id)
    const field = differingField(wish, { ...there, instrumentId: there.id })
    if (!field) return
    const difference = `${there.symbol} has ${field} ${there[field]} in it, and ${wish[field]} in the input`
    throw otherInput(difference, there.symbol, undefined)
  }

  #numbered(command: SymbolCommand, passed: Passed, requestId: number): SymbolCommand {
    if (!takesRequestId(command) || command.account === undefined) return command
    const { account } = command
    const { ownIds, givenIds } = passed
    if (command.requestId !== undefined) {
      if (givenIds.has(account)) {
        throw new CliFailure(
          'TIDEMARK_BAD_INPUT',
          `With --resume either all or none of an account's commands in a symbol have a requestId; account ${account} in ${command.symbol} has both.`,
          exitCodes.badInput,
          { account, symbol: command.symbol },
        )
      }
      ownIds.add(account)
      return command
    }
    if (ownIds.has(account)) return command
    givenIds.add(account)
    return { ...command, requestId }
  }

  /** Passes over the encoded command when it is durable, and puts it into the batch when it is not. */
  #take(instrumentId: number): void {
    const words = this.#words
    const logged = this.#logged.symbol(instrumentId)
    const passed = this.#passedOf(instrumentId)
    const durable = logged !== undefined && passed.commands < logged.commands
    const request = requestOf(words, 0)
    if (request && !passed.ownIds.has(request.account)) {
      const last = this.#lastRequestIds.get(instrumentId)?.get(request.account) ?? 0
      if (request.requestId <= last !== durable) {
        const symbol = this.#symbolOf(instrumentId)
        const verb = durable ? 'were not executed' : 'were'
        throw otherInput(
          `by request id, command ${request.requestId} and those after it of account ${request.account} in ${symbol} ${verb}`,
          symbol,
          logged?.lastLsn,
        )
      }
    }
    if (!durable) {
      this.#batch.addEncoded(words)
      return
    }
    passed.digest.add(words, 0)
    passed.commands++
    this.skipped++
    this.#skippedHere++
    const last = passed.commands === logged.commands
    const expected = last ? logged.all : passed.commands === 1 ? logged.first : undefined
    if (expected && !passed.digest.equals(expected)) {
      const symbol = this.#symbolOf(instrumentId)
      throw otherInput(`its commands of ${symbol} are not those of the input`, symbol, logged.lastLsn)
    }
    if (last && --this.#open === 0) this.#catchUp()
  }

  #passedOf(instrumentId: number, known?: Instrument): Passed {
    let passed = this.#passed.get(instrumentId)
    if (!passed) {
      const grids = commandGrids({ ...(known ?? this.#instrument(instrumentId)!), instrumentId })
      passed = { commands: 0, digest: new CommandDigest(), ownIds: new Set(), givenIds: new Set(), grids }
      this.#passed.set(instrumentId, passed)
    }
    return passed
  }

  #instrument(instrumentId: number): Instrument | undefined {
    if (!this.#instruments.has(instrumentId)) {
      this.#instruments = new Map(this.#pool.instruments().map((instrument) => [instrument.id, instrument]))
    }
    return this.#instruments.get(instrumentId)
  }

  #symbolOf(instrumentId: number): string {
    return this.#instrument(instrumentId)?.symbol ?? `instrument ${instrumentId}`
  }
}

/** Whether a command is of a type that may have a request id. */
function takesRequestId(
  command: SymbolCommand,
): command is NewCommand | CancelCommand | ReplaceCommand | ReduceCommand {
  return ['new', 'cancel', 'replace', 'reduce'].includes(command.type)
}

function resumeFailure(
  code: 'TIDEMARK_RESUME_TRIMMED' | 'TIDEMARK_RESUME_DIFFERS',
  message: string,
  details: Record<string, unknown>,
): CliFailure {
  return new CliFailure(code, message, exitCodes.mismatch, details)
}

function otherInput(difference: string, symbol: string, lsn: number | undefined): CliFailure {
  const message = `The folder holds the log of another input: ${difference}. --resume needs the input, and the settings of a generated flow, that the folder was begun with under --resume.`
  return resumeFailure('TIDEMARK_RESUME_DIFFERS', message, { symbol, lsn })
}

/** Asks the pool for the last request id of every account and symbol that the log names. */
async function lastRequestIds(
  pool: EnginePool,
  logged: LoggedCommands,
): Promise<Map<number, Map<number, number>>> {
  const symbols = new Map(pool.instruments().map(({ id, symbol }) => [id, symbol]))
  const pairs = [...logged.symbols].flatMap(([id, { requests }]) =>
    [...requests.keys()].map((account) => ({ id, account })),
  )
  const known = new Map<number, Map<number, number>>()
  for (let from = 0; from < pairs.length; from += questionsMax) {
    const asked = pairs.slice(from, from + questionsMax).map(async ({ id, account }) => {
      const { requestId } = await pool.lastRequestId(account, symbols.get(id)!)
      const ofSymbol = known.get(id) ?? new Map<number, number>()
      ofSymbol.set(account, requestId ?? 0)
      known.set(id, ofSymbol)
    })
    await Promise.all(asked)
  }
  return known
}
