//! The supervisors' page: the whole room on one screen, and the few things a supervisor may change.

import { signal } from "@preact/signals";
import { code, t } from "../i18n/words";
import type { Link } from "../live/link";
import type { Rows } from "../live/board";
import { agents, alarms, callbacks, decisions, handOvers, held, minutes, nowAt, onTheLine, queues, readable, rowsOf, spell, totals, trunks, waiting } from "../live/room";
import { Chooser, ClassBadge, Panel, TwicePressed } from "../ui/pieces";
import { tick } from "../ui/time";
import type { AlarmRow, QueueRow, WaitingRow, WireVerb } from "../wire/generated";
import { Curve } from "./Curve";
import { Majors } from "./Majors";
import { Team } from "./Team";

const refused = signal<{ why: string; by: string | null } | null>(null);
/** Decisions shown: what fits without scrolling away from the room. */
const DECISIONS_SHOWN = 8;
const ALARMS_SHOWN = 8;

/** What the board's parts need: the rows, the time, and how to ask for something. */
export type Room = { link: Link; mayCommand: boolean; ask: (verb: WireVerb) => void };

export function BoardPage({ link, mayCommand }: { link: Link; mayCommand: boolean }) {
  const room: Room = {
    link,
    mayCommand,
    ask: (verb) => {
      void link.command(verb).then((outcome) => (refused.value = outcome.done ? null : outcome));
    },
  };
  const why = refused.value;
  return (
    <main class="board">
      <h1 class="unseen">{t("board.title")}</h1>
      <Figures link={link} />
      <div class="refusal" role="alert">
        {why && <p>{t("refused.title", { why: code("refused", why.why, t("refused.other", { code: why.why }), { by: why.by ?? "", key: "" }) })}</p>}
      </div>
      <div class="columns">
        <div>
          <Alarms link={link} />
          <Queues room={room} />
          <Waiting room={room} />
        </div>
        <div>
          <Majors room={room} />
          <Team room={room} />
        </div>
        <div>
          <Curves link={link} />
          <Trunks link={link} />
          <Decisions link={link} />
        </div>
      </div>
    </main>
  );
}

const rows = (link: Link) => rowsOf(link.board.value, "board");
const lineOf = (link: Link) => onTheLine(waiting(rows(link)), rows(link));
const now = (link: Link) => nowAt(link.board.value.clock, tick.value);

/** The figures a supervisor reads from across the room. */
function Figures({ link }: { link: Link }) {
  const list = lineOf(link);
  const team = agents(rows(link));
  const sum = totals(rows(link));
  const longest = list.reduce((most, row) => Math.max(most, now(link) - row.arrived), 0);
  const ready = team.filter((row) => row.intent === "ready");
  const free = ready.filter((row) => row.why.length === 0);
  const figures: [string, string | number][] = [
    [t("board.now"), list.length],
    [t("board.longest"), list.length > 0 ? spell(longest) : "–"],
    [t("board.ready_of", { free: free.length, ready: ready.length }), `${free.length}/${ready.length}`],
    [t("board.live"), sum?.live ?? 0],
    [t("board.handed"), handOvers(rows(link)).length],
    [t("board.callbacks"), callbacks(rows(link), now(link)).length],
    [t("board.arrived"), sum?.arrived ?? 0],
    [t("board.answered"), sum?.answered ?? 0],
    [t("board.totals.abandons"), sum?.abandons ?? 0],
    [t("board.totals.short"), sum?.short_abandons ?? 0],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name} class="figure">
          <dd>{value}</dd>
          <dt>{name}</dt>
        </div>
      ))}
    </dl>
  );
}

/** A call by its caller's number, as far as this room sees it; anything else by its name. */
function known(all: Rows, name: string): string {
  const call = [...waiting(all), ...held(all)].find((row) => row.call === name);
  return (call && readable(call.caller)) ?? name;
}

function Alarms({ link }: { link: Link }) {
  const list = alarms(rows(link)).slice(0, ALARMS_SHOWN);
  const standing = list.filter((row) => row.on).length;
  const says = (row: AlarmRow) => {
    const of = known(rows(link), row.of);
    return code("board.alarm", row.code, t("board.alarm.other", { code: row.code, of }), { of });
  };
  return (
    <Panel title={t("board.alarms")} name="alarms" count={standing}>
      <div aria-live="assertive" class="unseen">{list.filter((row) => row.on).map(says).join(". ")}</div>
      {list.length === 0 ? (
        <p class="none">✓ {t("board.alarms.none")}</p>
      ) : (
        <ul class="alarmlist">
          {list.map((row) => (
            <li key={row.seq} class={row.on ? "alarm" : "past"}>
              <span aria-hidden="true">{row.on ? "■" : "□"}</span>
              <span>{says(row)}</span>
              <span class="detail">{t(row.on ? "board.alarm.on" : "board.alarm.past")}</span>
              <span class="time">{spell(now(link) - row.at)}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Queues({ room }: { room: Room }) {
  const { link } = room;
  const all = lineOf(link);
  return (
    <Panel title={t("board.queues")} name="queues">
      <div class="scroll" tabIndex={0} role="group" aria-label={t("board.queues")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("board.queue")}</th>
              <th scope="col" class="n">{t("board.now")}</th>
              <th scope="col" class="n">{t("board.longest")}</th>
              <th scope="col">{t("board.classes")}</th>
              <th scope="col" class="n">{t("board.entered")}</th>
              <th scope="col" class="n">{t("board.answered")}</th>
              <th scope="col" class="n">{t("board.withdrawn")}</th>
            </tr>
          </thead>
          <tbody>
            {queues(rows(link)).map((queue) => {
              const inIt = all.filter((row) => row.queue === queue.queue);
              const longest = inIt.reduce((most, row) => Math.max(most, now(link) - row.arrived), 0);
              return (
                <tr key={queue.queue} class={queue.alarm ? "alarm" : ""}>
                  <th scope="row">
                    {queue.alarm && <span aria-hidden="true">■ </span>}
                    {queue.queue}
                    <Overflow queue={queue} room={room} />
                  </th>
                  <td class="n big">{inIt.length}</td>
                  <td class="n time">{inIt.length > 0 ? spell(longest) : "–"}</td>
                  <td><ByClass list={inIt} at={now(link)} /></td>
                  <td class="n">{queue.entered}</td>
                  <td class="n">{queue.answered}</td>
                  <td class="n">{queue.withdrawn}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** A queue's way out: shown where it is open, and two presses to open or close it. */
function Overflow({ queue, room: { mayCommand, ask } }: { queue: QueueRow; room: Room }) {
  const { overflow: open, queue: name } = queue;
  if (!open && !mayCommand) return null;
  return (
    <div class="overflow">
      <span class={open ? "on" : ""}>{t(open ? "board.overflow.open" : "board.overflow.shut")}</span>
      {mayCommand && (
        <TwicePressed
          first={t(open ? "board.overflow.do_close" : "board.overflow.do_open")}
          second={t(open ? "board.overflow.confirm_close" : "board.overflow.confirm_open")}
          label={`${t("board.overflow")}, ${name}`}
          onPress={() => ask({ type: "set_overflow", queue: name, open: !open })}
        />
      )}
    </div>
  );
}

/** Per class: how many, and the longest wait. */
function ByClass({ list, at }: { list: readonly WaitingRow[]; at: number }) {
  const classes = [...new Set(list.map((row) => row.class))];
  return (
    <ul class="byclass">
      {classes.map((name) => {
        const those = list.filter((row) => row.class === name);
        const longest = Math.max(...those.map((row) => at - row.arrived));
        return (
          <li key={name}>
            {those.length} <ClassBadge name={name} fenced={those.some((row) => row.fenced)} /> <span class="time">{spell(longest)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Waiting({ room: { link, mayCommand, ask } }: { room: Room }) {
  const list = lineOf(link);
  const names = queues(rows(link)).map((row) => row.queue);
  const classes = link.board.value.welcome?.classes ?? [];
  const caller = (row: WaitingRow) => readable(row.caller) || t("call.unknown");
  return (
    <Panel title={t("waiting.title")} name="waiting" count={list.length}>
      {list.length === 0 ? (
        <p class="none">{t("waiting.none")}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-label={t("waiting.title")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("waiting.time")}</th>
                <th scope="col">{t("waiting.class")}</th>
                <th scope="col">{t("waiting.caller")}</th>
                <th scope="col">{t("waiting.queue")}</th>
                {mayCommand && <th scope="col"><span class="unseen">{t("waiting.actions")}</span></th>}
              </tr>
            </thead>
            <tbody>
              {list.map((row) => (
                <tr key={row.work} class={row.fenced ? "vital" : ""}>
                  <td class="time">{spell(now(link) - row.arrived)}</td>
                  <td><ClassBadge name={row.class} fenced={row.fenced} /></td>
                  <td class="number">
                    {caller(row)}
                    <span class="detail">
                      {[row.again && t("waiting.again"), row.offered.length > 0 && t("waiting.offered", { names: row.offered.join(", ") })]
                        .filter(Boolean)
                        .join(" · ")}
                    </span>
                  </td>
                  <td>{row.queue}</td>
                  {mayCommand && (
                    <td class="act">
                      <Chooser
                        label={t("board.raise", { call: caller(row) })}
                        empty={t("board.raise_to")}
                        choices={classes.filter((name) => name !== row.class).map((id) => ({ id, text: code("class", id) }))}
                        onChoose={(name) => ask({ type: "raise", work: row.work, class: name })}
                      />
                      <Chooser
                        label={t("board.move", { call: caller(row) })}
                        empty={t("board.move_to")}
                        choices={names.filter((name) => name !== row.queue).map((id) => ({ id, text: id }))}
                        onChoose={(queue) => ask({ type: "move", work: row.work, queue })}
                      />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Curves({ link }: { link: Link }) {
  const list = minutes(rows(link));
  return (
    <Panel title={t("board.curves")} name="curves">
      {list.length === 0 ? (
        <p class="none">{t("board.curve.none")}</p>
      ) : (
        <>
          <Curve name={t("board.curve.waiting")} values={list.map((row) => row.waiting)} />
          <Curve name={t("board.curve.arrived")} values={list.map((row) => row.arrived)} />
          <Curve name={t("board.curve.answered")} values={list.map((row) => row.answered)} />
          <Curve name={t("board.curve.abandoned")} values={list.map((row) => row.abandoned)} />
        </>
      )}
    </Panel>
  );
}

function Trunks({ link }: { link: Link }) {
  return (
    <Panel title={t("board.trunks")} name="trunks">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("board.trunk")}</th>
            <th scope="col">{t("board.trunk_state")}</th>
            <th scope="col" class="n">{t("board.live")}</th>
            <th scope="col" class="n">{t("board.arrived")}</th>
          </tr>
        </thead>
        <tbody>
          {trunks(rows(link)).map((row) => (
            <tr key={row.trunk} class={row.state === "down" ? "alarm" : ""}>
              <th scope="row">{row.trunk}</th>
              <td>{t(`board.trunk.${row.state ?? "unasked"}`)}</td>
              <td class="n">{row.live}</td>
              <td class="n">{row.arrived}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** Why the last calls went where they went: the engine's own words, so that nobody has to guess. */
function Decisions({ link }: { link: Link }) {
  return (
    <Panel title={t("board.decisions")} name="decisions">
      <ol class="decisions">
        {decisions(rows(link)).slice(0, DECISIONS_SHOWN).map((row) => (
          <li key={`${row.offer}/${row.agent}`}>
            <ClassBadge name={row.class || null} fenced={row.because.item === "fence"} />
            <span>
              {t("board.decision", {
                agent: row.agent,
                item: code("because", row.because.item),
                why: code("because.agent", row.because.agent),
                time: spell(row.waited),
              })}{" "}
              <span class="detail">{code("end", row.end ?? "open")}</span>
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
