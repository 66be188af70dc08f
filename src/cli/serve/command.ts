import { type Command, Option } from 'commander'
import { exitCodeHelp, exitCodes, logExitCodes } from '../exit-codes.js'
import { integerFlag, numberFlag } from '../flags.js'
import { createAdminKey, listAdminKeys, revokeAdminKey } from './admin-keys.js'
import { branch } from './branch.js'
import { createKey, listKeys, revokeKey } from './keys.js'
import { serve } from './serve.js'

const serveCodes = exitCodeHelp([
  [exitCodes.ok, 'it was stopped by SIGINT or SIGTERM, and everything that it took is answered'],
  [exitCodes.failed, 'the log, the key file or the address could not be used, or a package is missing'],
  [exitCodes.usage, 'bad usage: a flag'],
  [exitCodes.badInput, 'the folder is that of another kind of log'],
])

const keyCodes = exitCodeHelp([
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'the key file could not be read or written, or there is no such key'],
  [exitCodes.usage, 'bad usage: a flag'],
])

const branchCodes = exitCodeHelp([
  [exitCodes.ok, 'done'],
  [exitCodes.failed, 'a file could not be read or written'],
  [exitCodes.usage, 'bad usage: a flag, or NEW is not empty'],
  [exitCodes.badInput, 'there is no log of a pool in DIR'],
  [logExitCodes.corrupt, 'the log is corrupt'],
])

const accountMax = 2 ** 32 - 1

/** Adds `tidemark serve …`: a pool that others trade on over REST and WebSockets, and the keys for it. */
export function registerServe(program: Command): void {
  const command = program
    .command('serve')
    .summary('serve a pool over REST and WebSockets')
    .description(
      'Serves the pool in DIR in the Binance spot dialect: REST below /api/v3, streams below /ws and /stream, the WebSocket API at ' +
        '/ws-api/v3. Without DIR it serves a demo: three symbols in a temporary folder, keys that it prints, and traders that trade ' +
        'through the public API, or a recorded market.',
    )
    .argument('[DIR]', 'folder of the pool')
    // A flag after "key" is that command's own.
    .enablePositionalOptions()
    .addOption(
      new Option('--port <n>', 'port to listen on; 0: any that is free')
        .argParser(integerFlag(0, 65_535))
        .default(8080),
    )
    .addOption(
      new Option('--host <address>', 'address to listen on; beyond loopback it needs a key').default(
        '127.0.0.1',
      ),
    )
    .addOption(new Option('--shards <n>', 'threads that match').argParser(integerFlag(1, 64)).default(1))
    .option(
      '--ledger',
      'keep accounts: an order is taken when its account can pay for it. A folder that has a ledger keeps it without this',
    )
    .addOption(
      new Option('--weight-limit <n>', 'weight of the requests of an address in a minute; 0: no limit')
        .argParser(integerFlag(0, 1_000_000_000))
        .default(60_000),
    )
    .addOption(
      new Option('--order-limit <n>', 'new orders of an account in 10 seconds; 0: no limit')
        .argParser(integerFlag(0, 1_000_000_000))
        .default(10_000),
    )
    .option(
      '--latency <percentiles>',
      'make requests and messages take longer, such as p50=5,p99=80 milliseconds',
    )
    .option(
      '--faults <rates>',
      'let things go wrong on purpose, such as lost=0.01,late=0.01,disconnect=0.001,429=0.01,503=0.01,gap=0.01',
    )
    .addOption(
      new Option('--fault-seed <n>', 'the same seed makes the same things go wrong (default: 1)').argParser(
        integerFlag(0, 2 ** 32 - 1),
      ),
    )
    .addOption(
      new Option('--late-ms <n>', 'how late a late answer is, milliseconds (default: 2000)').argParser(
        integerFlag(0, 3_600_000),
      ),
    )
    .addOption(new Option('--traders <n>', 'traders of a demo (default: 20)').argParser(integerFlag(0, 1000)))
    .option(
      '--record <files...>',
      'message files of LOBSTER, played into a demo in place of traders; order book files beside them are used',
    )
    .addOption(
      new Option(
        '--speed <factor>',
        'how much faster than it was a recording is played (default: 1)',
      ).argParser(numberFlag(0.001, 1_000_000)),
    )
    .addOption(
      new Option('--admin-port <n>', 'port to be administered at; 0: any that is free').argParser(
        integerFlag(0, 65_535),
      ),
    )
    .addOption(
      new Option(
        '--admin-host <address>',
        'address to be administered at; beyond loopback it needs an admin key',
      ).default('127.0.0.1'),
    )
    .option('--tls-cert <file>', 'certificate in PEM, for TLS; with --tls-key')
    .option('--tls-key <file>', 'its private key in PEM')
    .addOption(
      new Option(
        '--log-level <level>',
        'log in lines of JSON what is of this level or above: requests at debug, refusals, connections and administrators at info, clients that were cut at warn, failures at error',
      ).choices(['debug', 'info', 'warn', 'error']),
    )
    .option('--log-file <file>', 'add the lines to this file (default: standard error)')
    .option('--json', 'print one JSON object when it serves: the address, and the keys of a demo')
    .addHelpText('after', serveCodes)
    .action(serve)
  command
    .command('branch')
    .summary('copy a venue to try something')
    .description(
      'Copies the folder of a venue, with its keys, to NEW, from which a second venue can be served. The first one may run meanwhile: ' +
        'what was durable when the copy began comes along, and nothing is written into DIR.',
    )
    .argument('<DIR>', 'folder of the pool')
    .argument('<NEW>', 'folder for the copy: empty, or not there yet')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', branchCodes)
    .action(branch)
  const key = command
    .command('key')
    .summary('make, list and revoke API keys')
    .description(
      'Makes, lists and revokes the API keys of a pool: DIR/keys.json, of mode 600. A running server takes changes within a second.',
    )
    .addHelpText('after', keyCodes)
  key
    .command('create')
    .summary('make a key')
    .description('Makes a key and prints it. The secret of an HMAC key is printed this once.')
    .argument('<DIR>', 'folder of the pool')
    .addOption(
      new Option('--account <n>', 'the account that it is for')
        .argParser(integerFlag(0, accountMax))
        .makeOptionMandatory(),
    )
    .option('--read-only', 'it may read its account, and not trade')
    .option('--ip <addresses...>', 'addresses that it may be used from; of any unless stated')
    .option('--label <text>', 'a name for people')
    .option(
      '--public-key <file>',
      'file of an Ed25519 public key in PEM: requests are signed with its private half',
    )
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', keyCodes)
    .action(createKey)
  key
    .command('list')
    .summary('list the keys')
    .description('Prints the keys without their secrets.')
    .argument('<DIR>', 'folder of the pool')
    .option('--json', 'print one JSON object a key, each on a line of its own')
    .addHelpText('after', keyCodes)
    .action(listKeys)
  key
    .command('revoke')
    .summary('remove a key')
    .description('Removes a key. KEY may be the beginning of it, if no other begins like that.')
    .argument('<DIR>', 'folder of the pool')
    .argument('<KEY>', 'the key, or 6 characters or more of its beginning')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', keyCodes)
    .action(revokeKey)
  registerAdminKeys(command)
}

function registerAdminKeys(command: Command): void {
  const key = command
    .command('admin-key')
    .summary('make, list and revoke the keys of administrators')
    .description(
      'Makes, lists and revokes the keys of those who administer a venue at --admin-port: DIR/admin-keys.json, of mode 600, which holds ' +
        'hashes of them. A running server takes changes within a second.',
    )
    .addHelpText('after', keyCodes)
  key
    .command('create')
    .summary('make a key for an administrator')
    .description(
      'Makes a key and prints it, this once. NAME is who it is: what is done with the key is logged under it.',
    )
    .argument('<DIR>', 'folder of the pool')
    .argument('<NAME>', 'who it is for')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', keyCodes)
    .action(createAdminKey)
  key
    .command('list')
    .summary('list who has a key')
    .description('Prints the names of those who have a key.')
    .argument('<DIR>', 'folder of the pool')
    .option('--json', 'print one JSON object a key, each on a line of its own')
    .addHelpText('after', keyCodes)
    .action(listAdminKeys)
  key
    .command('revoke')
    .summary('remove the key of an administrator')
    .description('Removes the key of NAME.')
    .argument('<DIR>', 'folder of the pool')
    .argument('<NAME>', 'whose key it is')
    .option('--json', 'print one JSON object, and nothing else')
    .addHelpText('after', keyCodes)
    .action(revokeAdminKey)
}
