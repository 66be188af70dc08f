export function recordOf(producerId: number, i: number, seed: number): Buffer
