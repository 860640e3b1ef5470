import type { ParamPattern, Program, Statement, TSInterfaceDeclaration, TSSignature, TSType } from 'oxc-parser'
import type { Figures } from './figures.ts'

type Declared = TSInterfaceDeclaration | TSType
type Types = ReadonlyMap<string, Declared>
/** Names of members, from the parameter down to the function. */
type Path = readonly string[]

/** A function that a constructor takes, as a parameter or as a member of one. */
export interface Callback {
  readonly room: string
  /** Such as `Execution(options.mayStart)`. */
  readonly at: string
}

/** The callbacks that constructors of these files take. Types are followed as far as these files declare them. */
export function callbacks(files: readonly Figures[]): readonly Callback[] {
  const parts = new Set(files.flatMap(({ program }) => partsOf(program)))
  const everywhere = new Map(files.flatMap(({ program }) => [...typesOf(program)]))
  return files.flatMap(({ program, room }) => {
    // Names may be used twice; a file means its own.
    const types = new Map([...everywhere, ...typesOf(program)].filter(([name]) => !parts.has(name)))
    return program.body.map(declarationOf).flatMap((node) => {
      if (node?.type !== 'ClassDeclaration') return []
      const taken = node.body.body.flatMap((member) =>
        member.type === 'MethodDefinition' && member.kind === 'constructor'
          ? member.value.params.flatMap((parameter) => functionsOfParameter(parameter, types))
          : [],
      )
      return taken.map((path) => ({ room, at: `${node.id?.name ?? ''}(${path.join('.')})` }))
    })
  })
}

function declarationOf(node: Statement | Program['body'][number]): Statement | null {
  return node.type === 'ExportNamedDeclaration' ? node.declaration : node.type === 'ImportDeclaration' ? null : node
}

/** Interfaces that classes implement: whoever takes one takes a part, and no bundle of functions. */
function partsOf(program: Program): readonly string[] {
  return program.body.map(declarationOf).flatMap((node) => {
    if (node?.type !== 'ClassDeclaration') return []
    return (node.implements ?? []).flatMap(({ expression }) =>
      expression.type === 'Identifier' ? expression.name : [],
    )
  })
}

function typesOf(program: Program): Types {
  const types = new Map<string, Declared>()
  for (const node of program.body.map(declarationOf)) {
    if (node?.type === 'TSInterfaceDeclaration') types.set(node.id.name, node)
    if (node?.type === 'TSTypeAliasDeclaration') types.set(node.id.name, node.typeAnnotation)
  }
  return types
}

function functionsOfParameter(parameter: ParamPattern, types: Types): readonly Path[] {
  if (parameter.type === 'TSParameterProperty' || parameter.type === 'RestElement') return []
  const pattern = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
  const name = pattern.type === 'Identifier' ? pattern.name : 'options'
  return functionsOf(pattern.typeAnnotation?.typeAnnotation, types).map((path) => [name, ...path])
}

function functionsOf(type: Declared | undefined, types: Types): readonly Path[] {
  if (type === undefined) return []
  if (type.type === 'TSFunctionType') return [[]]
  if (type.type === 'TSTypeLiteral') return type.members.flatMap((member) => functionsOfMember(member, types))
  if (type.type === 'TSUnionType' || type.type === 'TSIntersectionType')
    return type.types.flatMap((one) => functionsOf(one, types))
  if (type.type === 'TSParenthesizedType') return functionsOf(type.typeAnnotation, types)
  if (type.type === 'TSInterfaceDeclaration') {
    const bases = type.extends.flatMap(({ expression, typeArguments }) =>
      expression.type === 'Identifier' ? functionsOfNamed(expression.name, typeArguments?.params ?? [], types) : [],
    )
    return [...type.body.body.flatMap((member) => functionsOfMember(member, types)), ...bases]
  }
  if (type.type !== 'TSTypeReference' || type.typeName.type !== 'Identifier') return []
  return functionsOfNamed(type.typeName.name, type.typeArguments?.params ?? [], types)
}

function functionsOfMember(member: TSSignature, types: Types): readonly Path[] {
  if (member.type !== 'TSMethodSignature' && member.type !== 'TSPropertySignature') return []
  const name = member.key.type === 'Identifier' ? member.key.name : '?'
  if (member.type === 'TSMethodSignature') return [[name]]
  return functionsOf(member.typeAnnotation?.typeAnnotation, types).map((path) => [name, ...path])
}

function functionsOfNamed(name: string, given: readonly TSType[], types: Types): readonly Path[] {
  // What a room builds on is nobody's callbacks.
  if (name.endsWith('Context')) return []
  if (name === 'Pick' || name === 'Omit') {
    const keys = new Set(keysOf(given[1]))
    return functionsOf(given[0], types).filter(([first = '']) => keys.has(first) === (name === 'Pick'))
  }
  const declared = types.get(name)
  if (declared === undefined) return given.flatMap((one) => functionsOf(one, types))
  // Whoever names itself is followed once.
  return functionsOf(declared, new Map([...types].filter(([known]) => known !== name)))
}

function keysOf(type: TSType | undefined): readonly string[] {
  if (type?.type === 'TSUnionType') return type.types.flatMap(keysOf)
  return type?.type === 'TSLiteralType' && type.literal.type === 'Literal' ? [String(type.literal.value)] : []
}
