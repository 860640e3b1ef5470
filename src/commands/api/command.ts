import { Command } from 'commander'
import { operationNames, operations, type Operation, type OperationName, type Parameter } from '../../clink/contract.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings, type SettingsOptions } from '../terminal/settings.ts'
import { table } from '../terminal/table.ts'

const EXAMPLES = `
Examples:
  clink-worker api list_groups
  clink-worker api get_clinks group_id=GROUP_ID status=completed limit=5
  clink-worker api create_milestone group_id=GROUP_ID title=Release 'checkpoints=[{"title":"Tag it"}]'
  clink-worker api send_clink --help          what an operation takes
`

/** Any operation of the Clink API, from the rows that the client works by. */
export function apiCommand(io: Io): Command {
  const command = new Command('api')
    .description('any operation of the Clink API, JSON out')
    .usage('<operation> [key=value...] [options]')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  for (const name of operationNames) command.addCommand(operationCommand(name, io))
  return command
}

function operationCommand(name: OperationName, io: Io): Command {
  const operation = operations[name]
  const command = new Command(name).description(operation.about).argument('[key=value...]', 'parameters')
  return addSettings(command)
    .addHelpText('after', parametersHelp(operation))
    .action(async (pairs: readonly string[], options: SettingsOptions) => {
      const { readParameters } = await import('./parameters.ts')
      const params = readParameters(name, pairs)
      const { connect } = await import('../terminal/connect.ts')
      const { client } = await connect(options, io)
      const result: unknown = await client.call(name, params)
      io.out(`${JSON.stringify(result, null, 2)}\n`)
    })
}

function parametersHelp({ method, path, parameters }: Operation): string {
  const rows = Object.entries(parameters).map(([name, parameter]) => [
    `${name}${parameter.required === true ? '*' : ''}`,
    typeText(parameter),
    aboutText(parameter),
  ])
  const list = rows.length === 0 ? 'Takes no parameters.\n' : `Parameters (* must be given):\n${table(rows, '  ')}`
  return `\n${list}\n${method} ${path}`
}

function typeText({ type, values }: Parameter): string {
  if (values !== undefined) return values.join('|')
  return type === 'object' || type === 'list' ? `${type} (JSON)` : type === 'strings' ? 'texts (a,b or JSON)' : type
}

function aboutText({ about, default: fallback, maxLength }: Parameter): string {
  const longest = maxLength === undefined ? '' : ` At most ${maxLength} characters.`
  return `${about}${longest}${fallback === undefined ? '' : ` (${fallback})`}`
}
