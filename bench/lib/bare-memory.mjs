/** Words of the bare committer's and the relay's shared memory, each on a cache line of its own. */
export const word = { tail: 0, durable: 32, stop: 64, middle: 96, commits: 112 }
