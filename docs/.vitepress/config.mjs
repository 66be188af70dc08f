import { existsSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { defineConfig } from 'vitepress'

const docs = path.resolve(import.meta.dirname, '..')
const sidebarFile = path.join(docs, '.site/reference/typedoc-sidebar.json')
const reference = existsSync(sidebarFile) ? JSON.parse(readFileSync(sidebarFile, 'utf8')) : []
const page = (text, name) => ({ text, link: `/${name}` })

const guide = [
  page('Embed a pool', 'embed'),
  page('Subscriptions and cursors', 'subscriptions'),
  page('When each promise resolves', 'acknowledgement'),
  page('Back-pressure', 'backpressure'),
  page('Recovery', 'recovery'),
  page('Backups', 'backup'),
  page('Upgrades', 'upgrade'),
  page('Replication', 'replication'),
  page('… on etcd', 'replication-etcd'),
  page('The server', 'server'),
  page('A client', 'client'),
  page('How to …', 'how-to'),
  page('Bundling', 'bundling'),
]
const run = [
  page('Runbooks', 'runbooks'),
  page('Errors', 'errors'),
  page('Settings', 'settings'),
  page('Command line', 'cli'),
  page('Log tools', 'log-tools'),
]
const parts = [
  page('Matching rules', 'matching-rules'),
  page('Market data', 'market-data'),
  page('The store', 'store'),
  page('Tables of a store', 'store-schema'),
  page('The ledger', 'ledger'),
  page('The archive', 'archive'),
  page('Jobs', 'jobs'),
  page('Factors', 'factors'),
  page('The log by itself', 'log'),
]
const formats = [
  page('Log', 'wal-format'),
  page('Commands and events', 'command-format'),
  page('Snapshots', 'snapshot-format'),
  page('Cursors', 'cursor-format'),
]
const background = [
  page('Guarantees', 'guarantees'),
  page('Security', 'security'),
  page('How they are tested', 'testing'),
  page('Performance', 'performance'),
  page('Platforms', 'platforms'),
  page('Versions', 'versioning'),
  page('Glossary', 'glossary'),
]

/** Headings get the anchors that GitHub gives them, so that a link works in both. */
function slugify(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

/** The examples of the matching rules, which a test reads, are plain text here. */
function showTraces(markdown) {
  markdown.core.ruler.push('traces', ({ tokens }) => {
    for (const token of tokens)
      if (token.type === 'fence' && token.info.trim() === 'trace') token.info = 'txt'
  })
}

/** A link to a file of the repository that is no page is shown as its text. */
function leaveOutLinksToFiles(markdown) {
  const isOutside = (token) => token.type === 'link_open' && token.attrGet('href')?.startsWith('../')
  markdown.core.ruler.push('links-to-files', ({ tokens, env }) => {
    if (env.relativePath?.startsWith('reference/')) return
    for (const { children } of tokens) {
      let outside = false
      for (const token of children ?? []) {
        const opens = isOutside(token)
        if (opens) outside = true
        if (opens || (outside && token.type === 'link_close')) {
          outside = opens
          token.type = 'text'
          token.content = ''
          token.nesting = 0
        }
      }
    }
  })
}

function extend(markdown) {
  showTraces(markdown)
  leaveOutLinksToFiles(markdown)
}

export default defineConfig({
  title: 'tidemark',
  description: 'The durable matching-engine pool for Node.js',
  srcDir: '.site',
  outDir: '../dist/site',
  cacheDir: '.site/.cache',
  cleanUrls: true,
  // The index of the search is one file.
  vite: { build: { chunkSizeWarningLimit: 4000 } },
  markdown: { anchor: { slugify }, config: extend },
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    nav: [page('Guide', 'embed'), page('Runbooks', 'runbooks'), { text: 'Reference', link: '/reference/' }],
    sidebar: {
      '/reference/': [{ text: 'Reference', link: '/reference/', items: reference }],
      '/': [
        { text: 'Guide', items: guide },
        { text: 'To run it', items: run },
        { text: 'Parts', items: parts },
        { text: 'Formats', items: formats },
        { text: 'Background', items: background },
        { text: 'Reference', link: '/reference/' },
      ],
    },
  },
})
