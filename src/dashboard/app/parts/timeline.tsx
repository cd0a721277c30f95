import { scaleLinear } from 'd3-scale'
import type { JSX } from 'preact'
import type { RunRecord } from '../../api.ts'
import { count, duration, plural } from '../format.ts'

const percent = (value: number): string => `${value}%`

/** Time to the right, a lane for each resource and each package. */
export function Timeline({ run }: { run: RunRecord }): JSX.Element {
  const whole = Math.max(run.durationMs, 1)
  const x = scaleLinear([0, whole], [0, 100])
  const ticks = x.ticks(5).filter((tick) => x(tick) < 96)
  const resources = Object.entries(run.resources)
  return (
    <div class="timeline" role="img" aria-label={`Timeline of ${duration(run.durationMs)}`}>
      <div class="lane axis">
        <span />
        <div class="track">
          {ticks.map((tick) => (
            <span key={tick} class="moment" style={{ left: percent(x(tick)) }}>
              {tick === 0 ? '0' : duration(tick)}
            </span>
          ))}
        </div>
        <span />
      </div>
      {resources.map(([name, one]) => {
        const end = one.finishedMs ?? run.durationMs
        return (
          <div key={name} class="lane">
            <span class="cut name" title={name}>
              {name}
            </span>
            <div class="track">
              {ticks.map((tick) => (
                <i key={tick} class="line" style={{ left: percent(x(tick)) }} />
              ))}
              <i
                class={`span extract ${one.error !== undefined || run.error?.resource === name ? 'failed' : ''} ${one.finishedMs === undefined && run.status === 'running' ? 'open' : ''}`}
                style={{ left: percent(x(one.startedMs)), width: percent(Math.max(x(end) - x(one.startedMs), 0.4)) }}
                title={`${name}: ${duration(one.startedMs)} to ${duration(end)}, ${duration(one.normalizeMs ?? 0)} of it normalizing`}
              >
                <b
                  style={{
                    height: percent(Math.min(100, ((one.normalizeMs ?? 0) / Math.max(end - one.startedMs, 1)) * 100)),
                  }}
                />
              </i>
              {(one.waits ?? []).map((wait) => (
                <i
                  key={wait.atMs}
                  class={`wait ${wait.reason === 'retry' ? 'retry' : ''}`}
                  style={{ left: percent(x(wait.atMs)), width: percent(Math.max(x(wait.ms), 0.3)) }}
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
      {run.packages.map(({ loadId, rows, sealedMs, loadedMs, loadMs = 0, recovered }, at) => (
        <div key={loadId} class="lane">
          <span class="cut name" title={loadId}>
            package {count(at + 1)}
          </span>
          <div class="track">
            {ticks.map((tick) => (
              <i key={tick} class="line" style={{ left: percent(x(tick)) }} />
            ))}
            {!recovered && (
              <i class="sealed" style={{ left: percent(x(sealedMs)) }} title={`sealed at ${duration(sealedMs)}`} />
            )}
            {loadedMs !== undefined && (
              <i
                class="span load"
                style={{ left: percent(x(loadedMs - loadMs)), width: percent(Math.max(x(loadMs), 0.4)) }}
                title={`loaded in ${duration(loadMs)}`}
              />
            )}
          </div>
          <span class="figures">
            {plural(rows, 'row')}
            {loadedMs === undefined && (run.status === 'running' ? ' loading' : ' not loaded')}
          </span>
        </div>
      ))}
      <p class="legend" aria-hidden="true">
        <i class="key extract" /> extract <i class="key normalize" /> normalize, by its share <i class="key load" />{' '}
        load <i class="key wait" /> waited
      </p>
    </div>
  )
}
