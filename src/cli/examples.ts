type Example = readonly [line: string, what: string]

/** The examples of each command, by its name: they stand at the end of its `--help`. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  run: [
    [
      'tidemark run --verify',
      'a generated flow of 1,000,000 commands, then open the folder again and compare',
    ],
    [
      'tidemark run flow.jsonl --dir ./log --reports events.jsonl',
      'commands of a file; every event as a line',
    ],
    ['tidemark run flow.jsonl --dir ./log --resume', 'continue a run that was killed'],
  ],
  factors: [
    ['tidemark factors run ticks.csv --factor ma5=mean(last,5)', 'see "tidemark factors run --help"'],
  ],
  'factors run': [
    [
      'tidemark factors run ticks.csv --factor ma5=mean(last,5) rsi14=rsi(last,14) --dir ./factors',
      'two factors',
    ],
    [
      'tidemark factors run ticks.csv --factor ma5=mean(last,5) --dir ./factors --resume',
      'what is new in the file',
    ],
  ],
  'factors recover': [
    ['tidemark factors recover ./factors', 'the last values'],
    [
      'tidemark factors recover ./factors --format csv --instrument BTC',
      'those of one instrument, as a table for programs',
    ],
  ],
  jobs: [['tidemark jobs status ./queue', 'what a queue holds']],
  'jobs enqueue': [
    [
      `tidemark jobs enqueue ./queue '{"mail":"a@b.c"}' --id mail-1`,
      'one job; the same id again adds nothing',
    ],
    ['tidemark jobs enqueue ./queue --file jobs.jsonl', 'many'],
  ],
  'jobs status': [['tidemark jobs status ./queue', 'how many jobs are in which state']],
  'jobs run': [
    ['tidemark jobs run ./queue --handler ./handler.mjs --until-empty', 'run what is there, and end'],
  ],
  'jobs dump': [['tidemark jobs dump ./queue --job mail-1', 'all that happened to one job']],
  'jobs validate': [['tidemark jobs validate ./queue', 'check every record']],
  log: [['tidemark log verify ./pool', 'check every byte']],
  'log stats': [['tidemark log stats ./pool', 'what a log holds']],
  'log verify': [['tidemark log verify ./pool --json', 'check every byte; for a program that watches']],
  'log dump': [
    ['tidemark log dump ./pool --symbol BTC-USD --type trade', 'the commands that led to trades in a symbol'],
    ['tidemark log dump ./pool --json --from 2026-01-31T12:00:00Z', 'all from a time on, for a program'],
  ],
  'log readers': [['tidemark log readers ./pool', 'the stores and archives that read it']],
  'log drop-reader': [['tidemark log drop-reader ./pool store-old', 'keep no log for that one any more']],
  'log salvage': [['tidemark log salvage ./damaged --json > rescued.jsonl', 'all that can still be read']],
  'log backup': [['tidemark log backup ./pool ./backup', 'a copy that opens, also of a pool that runs']],
  'log repair': [
    ['tidemark log repair ./pool', 'say what would be done and lost'],
    ['tidemark log repair ./pool --yes', 'do it, after a backup'],
  ],
  archive: [['tidemark archive sync ./pool --to ./archive', 'archive what is sealed']],
  'archive sync': [
    ['tidemark archive sync ./pool --to ./archive --follow', 'archive what is sealed, and what comes'],
  ],
  'archive status': [['tidemark archive status ./archive', 'what it holds']],
  'archive verify': [['tidemark archive verify ./archive --log ./pool', 'compare every row with the log']],
  'archive compact': [['tidemark archive compact ./archive', 'fewer, larger files']],
  'archive trades': [
    ['tidemark archive trades ./archive --symbol BTC-USD --from 2026-01-31', 'the trades of a symbol'],
  ],
  'archive order-events': [
    ['tidemark archive order-events ./archive --account 7', 'all about the orders of an account'],
  ],
  'archive factor-values': [
    ['tidemark archive factor-values ./archive --factor ma5', 'the values of a factor'],
  ],
  store: [['tidemark store sync ./pool --to ./trades.duckdb', 'store what a log holds']],
  'store sync': [
    ['tidemark store sync ./pool --to ./trades.duckdb', 'into a file of DuckDB'],
    [
      'tidemark store sync ./pool --to postgres://me@db.example/trading --follow',
      'into PostgreSQL, until Ctrl-C',
    ],
  ],
  'store query': [
    ["tidemark store query ./trades.duckdb 'SELECT symbol, COUNT(*) FROM trades GROUP BY symbol'", 'a table'],
    [
      "tidemark store query ./trades.duckdb 'SELECT * FROM trades WHERE symbol = $1' --param BTC-USD --csv",
      'a file',
    ],
  ],
  'store status': [['tidemark store status ./trades.duckdb --log ./pool', 'how far it is']],
  standby: [
    [
      'tidemark standby ./standby --etcd http://a:2379,http://b:2379 --pool btc --seed http://primary:8080/',
      'follow',
    ],
  ],
  promote: [['tidemark promote ./standby', 'make the standby that runs there the primary']],
  replication: [['tidemark replication status --etcd http://a:2379 --pool btc', 'who is who']],
  'replication status': [
    ['tidemark replication status --etcd http://a:2379 --pool btc --json', 'for a program that watches'],
  ],
  serve: [
    ['tidemark serve', 'a demo that trades, at http://127.0.0.1:8080'],
    ['tidemark serve ./pool --port 9000 --shards 2', 'your own pool'],
  ],
  'serve branch': [
    ['tidemark serve branch ./pool ./trial', 'a copy to try something on, while the venue runs'],
  ],
  'serve key': [['tidemark serve key list ./pool', 'the keys of a pool']],
  'serve key create': [
    ['tidemark serve key create ./pool --account 7 --label bot', 'a key; its secret is printed once'],
  ],
  'serve key list': [['tidemark serve key list ./pool --json', 'without their secrets']],
  'serve key revoke': [['tidemark serve key revoke ./pool 3f9a1c', 'by the beginning of the key']],
  'serve admin-key': [['tidemark serve admin-key list ./pool', 'who may administer a venue']],
  'serve admin-key create': [
    ['tidemark serve admin-key create ./pool ada', 'a key for Ada; it is printed once'],
  ],
  'serve admin-key list': [['tidemark serve admin-key list ./pool --json', 'for a program']],
  'serve admin-key revoke': [['tidemark serve admin-key revoke ./pool ada', 'she may no longer']],
  bench: [
    ['tidemark bench --dir /mnt/disk', 'measure the disk that the log would be on'],
    ['tidemark bench --quick', 'only see that it runs'],
  ],
  completion: [
    ['eval "$(tidemark completion bash)"', 'in ~/.bashrc'],
    ['eval "$(tidemark completion zsh)"', 'in ~/.zshrc, after compinit'],
    ['tidemark completion fish > ~/.config/fish/completions/tidemark.fish', 'once'],
  ],
}

/** The examples of a command as the end of its `--help`; an empty text for one without. */
export function exampleHelp(name: string): string {
  const lines = (examples[name] ?? []).map(([line, what]) => `  ${line}\n      ${what}`)
  return lines.length === 0 ? '' : ['', 'Examples:', ...lines].join('\n')
}
