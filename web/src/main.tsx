//! Puts the pages together: who is signed in, the one link of the page, and the view that fits.

import { signal, useSignal } from "@preact/signals";
import { render, type FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { AgentPage } from "./agent/AgentPage";
import { Desk } from "./agent/desk";
import { language, speak, t } from "./i18n/words";
import { Link } from "./live/link";
import { signOut, whoIsIn, type Person, type Role } from "./live/session";
import { ownTab } from "./phone/owner";
import { Phone } from "./phone/phone";
import { SignIn } from "./SignIn";
import { runClock } from "./ui/time";
import { showTheme, turnTheme } from "./ui/theme";
import "./ui/style.css";

type BoardProps = { link: Link; mayCommand: boolean };

/** Everything that lives for one sign-in, and ends with it. */
type Shift = { person: Person; scope: AbortController; link: Link; desk: Desk | null };

const shift = signal<Shift | "nobody" | "over" | "asking">("asking");
const place = signal(whichPage());

/** Which page the address names: `/board` or `#board`, else the desk. */
function whichPage(): "agent" | "board" {
  return location.hash === "#board" || (location.hash === "" && location.pathname === "/board") ? "board" : "agent";
}

async function begin(person: Person): Promise<void> {
  const scope = new AbortController();
  const isAgent = person.agent !== null;
  const isSignedIn = async () => (await whoIsIn()) !== null;
  const link = new Link(scope.signal, isAgent ? ["me", "board"] : ["board"], await ownTab(), isSignedIn);
  runClock(scope.signal);
  let desk: Desk | null = null;
  if (person.agent !== null) desk = new Desk(scope.signal, link, new Phone(scope.signal, link, person.agent), person.agent);
  const begun: Shift = { person, scope, link, desk };
  shift.value = begun;
}

async function end(): Promise<void> {
  const { value } = shift;
  if (typeof value === "string") return;
  await signOut();
  value.scope.abort();
  shift.value = "nobody";
}

function App() {
  const { value } = shift;
  if (value === "asking") return <main class="signin"><p role="status">{t("app.loading")}</p></main>;
  if (value === "nobody" || value === "over") {
    return (
      <>
        <Head />
        <SignIn onIn={(person) => void begin(person)} over={value === "over"} />
      </>
    );
  }
  return <Signed {...value} />;
}

function Signed({ person, scope, link, desk }: Shift) {
  const line = link.line.value;
  useEffect(() => {
    if (line !== "signed_out") return;
    scope.abort();
    shift.value = "over";
  }, [line, scope]);
  const showsBoard = desk === null || place.value === "board";
  return (
    <>
      <Head person={person} both={desk !== null} showsBoard={showsBoard} centre={link.board.value.welcome?.centre ?? ""} />
      <div class={`linestate ${line}`} role="status">
        {line !== "up" && line !== "signed_out" && <p>{t(`line.${line}`)}</p>}
      </div>
      {showsBoard ? <Board link={link} mayCommand={commands(person.role)} /> : <AgentPage desk={desk} />}
    </>
  );
}

/** Whose wishes about the whole room the engine follows; it checks for itself. */
const commands = (role: Role) => role === "supervisor" || role === "administrator";

/** The board comes when it is asked for: an agent's page does not carry it. */
function Board(props: BoardProps) {
  const page = useSignal<{ View: FunctionComponent<BoardProps> } | null>(null);
  useEffect(() => {
    void import("./board/BoardPage").then(({ BoardPage }) => (page.value = { View: BoardPage }));
  }, [page]);
  if (!page.value) return <main class="board"><p role="status">{t("app.loading")}</p></main>;
  const { View } = page.value;
  return <View {...props} />;
}

function Head({ person, both, showsBoard, centre }: { person?: Person; both?: boolean; showsBoard?: boolean; centre?: string }) {
  return (
    <header class="head">
      <span class="mark">{t("app.title")}</span>
      {centre && <span class="detail">{centre}</span>}
      {both && (
        <nav aria-label={t("app.nav")}>
          <a href="#agent" aria-current={showsBoard ? undefined : "page"}>{t("app.page.agent")}</a>
          <a href="#board" aria-current={showsBoard ? "page" : undefined}>{t("app.page.board")}</a>
        </nav>
      )}
      <span class="spring" />
      <button type="button" class="button quiet" onClick={turnTheme}>{t("app.theme")}</button>
      <button type="button" class="button quiet" lang={language.value === "fr" ? "en" : "fr"} onClick={() => speak(language.value === "fr" ? "en" : "fr")}>
        {t("app.language")}
      </button>
      {person && (
        <>
          <span class="detail">{person.name}</span>
          <button type="button" class="button quiet" onClick={() => void end()}>{t("app.sign_out")}</button>
        </>
      )}
    </header>
  );
}

addEventListener("hashchange", () => (place.value = whichPage()));
showTheme();
const root = document.getElementById("app");
if (root) render(<App />, root);

/** An engine that does not answer yet is asked again: the page may be up before it. */
async function start(): Promise<void> {
  const person = await whoIsIn();
  if (person === "offline") {
    setTimeout(() => void start(), 1_000);
    return;
  }
  if (person) await begin(person);
  else shift.value = "nobody";
}
void start();
