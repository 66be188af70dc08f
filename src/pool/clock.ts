export * from '../log/clock.js'
