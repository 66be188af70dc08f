import { readFileSync } from 'node:fs'
import * as path from 'node:path'
// The compiler's own interface, of the version that package.json names exactly: it is not yet a stable one.
import { API, type Checker, type Symbol as Name, SymbolFlags, TypeFlags } from 'typescript/unstable/sync'
import { root } from './run-script.js'

/** What users of the package can name: how many names there are, and which have no documentation, as `file:line: name`. */
export interface PublicNames {
  readonly count: number
  readonly undocumented: readonly string[]
}

const literal =
  TypeFlags.StringLiteral | TypeFlags.NumberLiteral | TypeFlags.BooleanLiteral | TypeFlags.Undefined
const withMembers = SymbolFlags.Class | SymbolFlags.Interface | SymbolFlags.TypeAlias

/** The entry points in package.json, as paths in src. */
function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  return Object.values<string | { types: string }>(exports)
    .filter((entry) => typeof entry === 'object')
    .map(({ types }) => types.replace('./dist/', '').replace('.d.ts', '.ts'))
}

/** Looks at every export of every entry point and at its members, each declaration once. */
export function publicNames(): PublicNames {
  const api = new API({ cwd: root })
  try {
    const project = api.updateSnapshot({ openProjects: ['tsconfig.json'] }).getProjects()[0]!
    const { checker, program } = project
    const seen = new Set<string>()
    const undocumented: string[] = []
    const look = (name: Name, shown: string): void => {
      const declaration = name.declarations[0]!
      const key = `${declaration.path} ${declaration.index}`
      if (seen.has(key)) return
      seen.add(key)
      if (!isDocumented(checker, name)) undocumented.push(`${placeOf(name)}: ${shown}`)
    }
    for (const entry of entryPoints()) {
      const source = program.getSourceFile(path.join(root, entry))
      const module = source && checker.getSymbolAtLocation(source)
      if (!module) throw new Error(`The compiler does not know ${entry}.`)
      for (const exported of checker.getExportsOfModule(module)) {
        const target = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
        look(target, target.name)
        for (const member of membersOf(checker, target)) look(member, `${target.name}.${member.name}`)
      }
    }
    return { count: seen.size, undocumented }
  } finally {
    api.close()
  }
}

/** The public members that are declared in src, static ones too. */
function membersOf(checker: Checker, target: Name): Name[] {
  if (!(target.flags & withMembers)) return []
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(target))
  const type = target.flags & SymbolFlags.Class ? checker.getTypeOfSymbol(target) : undefined
  const statics = type ? checker.getPropertiesOfType(type) : []
  return [...members, ...statics].filter(({ name, declarations: [declaration] }) => {
    if (declaration === undefined || !/^[a-z]/i.test(name)) return false
    return path.relative(root, declaration.path).startsWith('src')
  })
}

/** A member that can have one value only says by it what it is, such as `type: 'cancel'`, and needs no words. */
function isDocumented(checker: Checker, name: Name): boolean {
  if (checker.getDocumentationCommentOfSymbol(name).trim() !== '') return true
  return ((checker.getTypeOfSymbol(name)?.flags ?? 0) & literal) !== 0
}

function placeOf(name: Name): string {
  const node = name.declarations[0]!.resolve()!
  const source = node.getSourceFile()
  const line = source.text.slice(0, node.getStart(source)).split('\n').length
  return `${path.relative(root, source.fileName)}:${line}`
}
