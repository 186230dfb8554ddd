//! A supervisor in somebody's conversation: listens, speaks to its agent or to all, takes it over. It
//! is shown to the agent and logged; taking over is asked twice.

import { t } from "../i18n/words";
import { Button, Chooser, TwicePressed } from "../ui/pieces";
import { rowsOf, supervisorsEar } from "../live/room";
import type { AgentRow, Seat } from "../wire/generated";
import type { Room } from "./BoardPage";

const SEATS = ["listens", "whispers", "speaks"] as const satisfies readonly Seat[];

export function Watch({ room: { link, ask, mayCommand }, row }: { room: Room; row: AgentRow }) {
  const welcome = link.board.value.welcome;
  const ear = supervisorsEar(rowsOf(link.board.value, "board"), welcome?.agent ?? welcome?.viewer ?? "");
  const call = row.call;
  if (!mayCommand && ear?.agent !== welcome?.agent) return null; // at an agent's page by that page alone
  if (call === null || ear === null || ear.agent === row.agent) return null;
  const inIt = ear.call === call;
  if (ear.call !== null && !inIt) return null; // one conversation at a time
  return (
    <div class="watch">
      <Chooser
        label={t("board.watch", { name: row.agent })}
        empty={`${t("board.watch.listens")}…`}
        choices={SEATS.map((seat) => ({ id: seat, text: t(`board.watch.${seat}`) }))}
        onChoose={(seat) => ask({ type: "watch", agent: ear.agent, call, seat: seat as Seat })}
      />
      {inIt && (
        <>
          <TwicePressed first={t("board.watch.take_over")} second={t("board.watch.take_over_confirm")} onPress={() => ask({ type: "take_over", agent: ear.agent, call })} />
          <Button kind="quiet" onPress={() => ask({ type: "leave", agent: ear.agent, call })}>{t("board.watch.leave")}</Button>
        </>
      )}
    </div>
  );
}
