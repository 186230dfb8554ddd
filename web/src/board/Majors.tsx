//! Major events: what belongs to each, and two presses to open one. Everything in the form may stay as
//! it is: calls, team and queue can be told apart once the room breathes.

import { useSignal } from "@preact/signals";
import { t } from "../i18n/words";
import { agents, majors, nowAt, queues, rowsOf, spell } from "../live/room";
import { Button, Panel, TwicePressed } from "../ui/pieces";
import { tick } from "../ui/time";
import type { MajorRow, WireVerb } from "../wire/generated";
import type { Room } from "./BoardPage";

type Opening = Extract<WireVerb, { type: "open_major" }>;

export function Majors({ room }: { room: Room }) {
  const { link, mayCommand, ask } = room;
  const list = majors(rowsOf(link.board.value, "board"));
  const opening = useSignal(false);
  return (
    <Panel title={t("major.title")} name="majors" count={list.filter((row) => row.until === null).length}>
      {list.length === 0 && <p class="none">{t("major.none")}</p>}
      <ul class="majorlist">
        {list.map((row) => (
          <Event key={row.event} room={room} row={row} />
        ))}
      </ul>
      {mayCommand &&
        (opening.value ? (
          <Form
            room={room}
            onDone={(verb) => {
              if (verb) ask(verb);
              opening.value = false;
            }}
          />
        ) : (
          <Button kind="vital" onPress={() => (opening.value = true)}>{t("major.open")}</Button>
        ))}
    </Panel>
  );
}

function Event({ room: { link, mayCommand, ask }, row }: { room: Room; row: MajorRow }) {
  const now = nowAt(link.board.value.clock, tick.value);
  const { calls, live, answered, abandoned } = row;
  const said = [row.queue, row.tags.join(", "), row.team.length > 0 && `${t("major.team")} : ${row.team.join(", ")}`, row.rest.length > 0 && `${t("major.rest")} : ${row.rest.join(", ")}`];
  return (
    <li class={row.until === null ? "alarm" : "past"}>
      <span>
        <span aria-hidden="true">{row.until === null ? "■ " : "□ "}</span>
        <strong>{row.name}</strong> <span class="detail">{row.until === null ? t("major.since", { time: spell(now - row.since) }) : t("major.over")}</span>
      </span>
      <span>{t("major.figures", { calls, live, answered, abandoned })}</span>
      <span class="detail">{said.filter(Boolean).join(" · ")}</span>
      {mayCommand && row.until === null && (
        <span>
          <TwicePressed first={t("major.close")} second={t("major.close_confirm")} onPress={() => ask({ type: "close_major", event: row.event })} />
        </span>
      )}
    </li>
  );
}

const DUTIES = ["team", "rest"] as const;

function Form({ room: { link }, onDone }: { room: Room; onDone: (verb: Opening | null) => void }) {
  const all = rowsOf(link.board.value, "board");
  const onDuty = agents(all).filter((row) => row.intent !== "signed-out");
  return (
    <form
      class="majorform"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(opened(new FormData(event.currentTarget)));
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone(null);
      }}
    >
      <label class="field">
        <span>{t("major.name")}</span>
        <input name="name" required maxLength={80} defaultValue={`${t("major.title")} ${new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" })}`} />
      </label>
      <label class="field">
        <span>{t("major.queue")}</span>
        <select name="queue">
          <option value="">{t("major.queue_none")}</option>
          {queues(all).map(({ queue }) => (
            <option key={queue} value={queue}>{queue}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{t("major.tags")}</span>
        <input name="tags" autocomplete="off" />
      </label>
      <ul class="duties">
        {onDuty.map((row) => (
          <li key={row.agent}>
            <span>{row.agent}</span>
            <select name={`duty/${row.agent}`} aria-label={t("major.of", { name: row.agent })}>
              <option value="">{t("major.neither")}</option>
              {DUTIES.map((duty) => (
                <option key={duty} value={duty}>{t(`major.${duty}`)}</option>
              ))}
            </select>
          </li>
        ))}
      </ul>
      <div class="inline">
        <button type="submit" class="button danger">{t("major.confirm")}</button>
        <Button kind="quiet" onPress={() => onDone(null)}>{t("board.cancel")}</Button>
      </div>
    </form>
  );
}

/** What the form says, as the engine is asked. */
export function opened(fields: FormData): Opening {
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const whose = (duty: string) => [...fields].filter(([name, value]) => name.startsWith("duty/") && value === duty).map(([name]) => name.slice("duty/".length));
  const tags = text("tags").split(",").map((one) => one.trim()).filter(Boolean);
  return { type: "open_major", name: text("name"), tags, numbers: [], queue: text("queue") || null, team: whose("team"), rest: whose("rest") };
}
