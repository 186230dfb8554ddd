//! The team: who does what since when, and which calls each one can answer.

import { useSignal } from "@preact/signals";
import { code, t } from "../i18n/words";
import { agents, nowAt, rowsOf, spell, supervisorsEar } from "../live/room";
import { Button, Panel } from "../ui/pieces";
import { tick } from "../ui/time";
import type { AgentRow } from "../wire/generated";
import type { Room } from "./BoardPage";
import { Watch } from "./Watch";

export function Team({ room }: { room: Room }) {
  const { link } = room;
  const team = agents(rowsOf(link.board.value, "board"));
  const now = nowAt(link.board.value.clock, tick.value);
  const changing = useSignal<string | null>(null);
  return (
    <Panel title={t("board.agents")} name="team" count={team.filter((row) => row.intent !== "signed-out").length}>
      <div class="scroll" tabIndex={0} role="group" aria-label={t("board.agents")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("board.agent")}</th>
              <th scope="col">{t("board.state")}</th>
              <th scope="col" class="n">{t("board.since")}</th>
              <th scope="col">{t("board.skills")}</th>
            </tr>
          </thead>
          <tbody>
            {team.map((row) => (
              <tr key={row.agent} class={`is-${look(row)}`}>
                <th scope="row">
                  {row.agent} <span class="detail">{row.position}</span>
                </th>
                <td>
                  <span aria-hidden="true">{SHAPES[look(row)]} </span>
                  {stateOf(row)}
                  {row.occupation === "talking" && <Watch room={room} row={row} />}
                </td>
                <td class="n time">{row.intent === "signed-out" ? "–" : spell(now - row.since)}</td>
                <td class="act">
                  {changing.value === row.agent ? (
                    <Skills
                      row={row}
                      onKeep={(skills) => {
                        if (skills) room.ask({ type: "skills", agent: row.agent, skills });
                        changing.value = null;
                      }}
                    />
                  ) : (
                    <>
                      <span>{row.skills.join(", ") || "–"}</span>
                      {room.mayCommand && (
                        <Button kind="quiet" label={t("board.skills_change", { name: row.agent })} onPress={() => (changing.value = row.agent)}>✎</Button>
                      )}
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {room.mayCommand && supervisorsEar(rowsOf(link.board.value, "board"), link.board.value.welcome?.viewer ?? "") === null && (
        <p class="detail">{t("board.watch.none")}</p>
      )}
    </Panel>
  );
}

/** The skills of an agent, as a list in words; Enter keeps, Escape does not. */
function Skills({ row, onKeep }: { row: AgentRow; onKeep: (skills: string[] | null) => void }) {
  const text = useSignal(row.skills.join(", "));
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        onKeep(text.value.split(",").map((one) => one.trim()).filter(Boolean));
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onKeep(null);
      }}
    >
      <input
        aria-label={`${t("board.skills_change", { name: row.agent })}, ${t("board.skills_hint")}`}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        ref={(element) => element?.focus()}
      />
      <button type="submit" class="button answer">{t("board.skills_keep")}</button>
      <Button kind="quiet" onPress={() => onKeep(null)}>{t("board.cancel")}</Button>
    </form>
  );
}

type Look = "free" | "talking" | "offered" | "wrap" | "paused" | "fault" | "off";

const SHAPES: Record<Look, string> = { free: "✓", talking: "●", offered: "◔", wrap: "◐", paused: "Ⅱ", fault: "■", off: "○" };

function look(row: AgentRow): Look {
  if (row.occupation === "talking") return "talking";
  if (row.intent === "signed-out") return "off";
  if (row.occupation === "offered") return "offered";
  if (row.occupation === "wrap-up") return "wrap";
  if (typeof row.intent === "object") return "paused";
  return row.why.length === 0 ? "free" : "fault";
}

function stateOf(row: AgentRow): string {
  switch (look(row)) {
    case "talking":
      return t("state.talking");
    case "off":
      return t("state.signed_out");
    case "offered":
      return t("state.offered");
    case "wrap":
      return t("state.wrap_up");
    case "paused":
      return typeof row.intent === "object" ? `${t("state.paused")} (${code("pause", row.intent.paused)})` : t("state.paused");
    case "free":
      return t("state.free");
    case "fault":
      return row.why.map((why) => code("why", why)).join(", ");
  }
}
