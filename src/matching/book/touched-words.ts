/** Of the smallest memory page, 4 KiB. */
const PAGE_WORDS = 1024

/**
 * Makes an array of zeros and writes to each memory page of it. A fresh page that is read before it is written costs two page
 * faults of 1 to 2 us each; written first, it costs one. For tables of millions of entries that are probed before they
 * are filled.
 */
export function touchedWords(count: number): Int32Array {
  const words = new Int32Array(count)
  for (let at = 0; at < count; at += PAGE_WORDS) words[at] = 0
  return words
}
