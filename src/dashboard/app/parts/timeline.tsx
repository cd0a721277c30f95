import { scaleLinear } from 'd3-scale'
import { Fragment, type JSX } from 'preact'
import type { RunRecord } from '../../api.ts'
import { count, duration, plural } from '../format.ts'
import { packageState } from './status.tsx'

const percent = (value: number): string => `${value}%`

/** Time to the right, a lane for each resource and each package. */
export function Timeline({ run }: { run: RunRecord }): JSX.Element {
  const whole = Math.max(run.durationMs, 1)
  const x = scaleLinear([0, whole], [0, 100])
  const ticks = x.ticks(5).filter((tick) => x(tick) < 96)
  // To its right, also on a phone.
  const hasRoom = (tick: number): boolean => x(tick) < 84
  const resources = Object.entries(run.resources)
  return (
    <div class="timeline" role="img" aria-label={`Timeline of ${duration(run.durationMs)}`}>
      <div class="lane axis">
        <span />
        <div class="track">
          {ticks.filter(hasRoom).map((tick) => (
            <span key={tick} class="moment" style={{ left: percent(x(tick)) }}>
              {tick === 0 ? '0' : duration(tick)}
            </span>
          ))}
        </div>
        <span class="figures" />
      </div>
      {resources.map(([name, one]) => {
        const end = one.finishedMs ?? run.durationMs
        return (
          <div key={name} class="lane">
            <span class="cut name" title={name}>
              {name}
            </span>
            <div class="track">
              <Lines ticks={ticks} x={x} />
              <i
                class={`span extract ${one.error !== undefined || run.error?.resource === name ? 'failed' : ''} ${one.finishedMs === undefined && run.status === 'running' ? 'open' : ''}`}
                style={place(x, one.startedMs, end - one.startedMs)}
                title={`${name}: ${duration(one.startedMs)} to ${duration(end)}, ${duration(one.normalizeMs)} of it normalizing`}
              >
                <b
                  style={{
                    height: percent(Math.min(100, (one.normalizeMs / Math.max(end - one.startedMs, 1)) * 100)),
                  }}
                />
              </i>
              {one.waits.map((wait) => (
                <i
                  key={wait.atMs}
                  class={`wait ${wait.reason === 'retry' ? 'retry' : ''}`}
                  style={place(x, wait.atMs, wait.ms)}
                  title={`waited ${duration(wait.ms)}: ${wait.reason}`}
                />
              ))}
            </div>
            <span class="figures">
              {plural(one.rows, 'row')}, {plural(one.pages, 'page')}
              {one.waitedMs > 0 && <span class="waited"> waited {duration(one.waitedMs)}</span>}
            </span>
          </div>
        )
      })}
      {run.packages.map((one, at) => (
        <Fragment key={one.loadId}>
          <div class="lane">
            <span class="cut name" title={one.loadId}>
              package {count(at + 1)}
            </span>
            <div class="track">
              <Lines ticks={ticks} x={x} />
              {!one.recovered && (
                <i
                  class="sealed"
                  style={{ left: percent(x(one.sealedMs)) }}
                  title={`sealed at ${duration(one.sealedMs)}`}
                />
              )}
              {one.loadedMs !== undefined && (
                <i
                  class="span load"
                  style={place(x, one.loadedMs - (one.loadMs ?? 0), one.loadMs ?? 0)}
                  title={`loaded in ${duration(one.loadMs ?? 0)}`}
                />
              )}
            </div>
            <span class="figures">
              {plural(one.rows, 'row')}
              {one.loadedMs === undefined && ` ${packageState(run, one)}`}
            </span>
          </div>
          {slowest(one.tables ?? []).map(([table, spans]) => (
            <div key={table} class="lane inner">
              <span class="cut name" title={table}>
                {table}
              </span>
              <div class="track">
                <Lines ticks={ticks} x={x} />
                {spans.map(({ atMs, ms }) => (
                  <i key={atMs} class="span load" style={place(x, atMs, ms)} title={`${table}: ${duration(ms)}`} />
                ))}
              </div>
              <span class="figures">{duration(spans.reduce((sum, { ms }) => sum + ms, 0))}</span>
            </div>
          ))}
        </Fragment>
      ))}
      <p class="legend" aria-hidden="true">
        <i class="key extract" /> extract <i class="key normalize" /> normalize, by its share <i class="key load" />{' '}
        load <i class="key wait" /> waited
      </p>
    </div>
  )
}

type Scale = ReturnType<typeof scaleLinear<number>>

const place = (x: Scale, fromMs: number, ms: number): { left: string; width: string } => ({
  left: percent(x(fromMs)),
  width: percent(Math.max(x(ms), 0.4)),
})

const Lines = ({ ticks, x }: { ticks: readonly number[]; x: Scale }): JSX.Element => (
  <>
    {ticks.map((tick) => (
      <i key={tick} class="line" style={{ left: percent(x(tick)) }} />
    ))}
  </>
)

type Spans = NonNullable<RunRecord['packages'][number]['tables']>
const shownTables = 6

/** The tables that took longest, in the order they were worked on. */
function slowest(spans: Spans): [string, Spans][] {
  const byTable = new Map<string, Spans>()
  for (const span of spans) byTable.set(span.table, [...(byTable.get(span.table) ?? []), span])
  const took = (all: Spans): number => all.reduce((sum, { ms }) => sum + ms, 0)
  const kept = new Set(
    [...byTable]
      .sort(([, a], [, b]) => took(b) - took(a))
      .slice(0, shownTables)
      .map(([table]) => table),
  )
  return byTable.size < 2 ? [] : [...byTable].filter(([table]) => kept.has(table))
}
