import { parentPort, workerData } from 'node:worker_threads'
import { type FlusherThreadData, runFlusherThread } from '../src/log/flush/flusher-thread.js'

runFlusherThread(workerData as FlusherThreadData, (message) => parentPort!.postMessage(message))
