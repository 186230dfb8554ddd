//! The agent's phone: microphone, headset, ringer and the one line to the engine.
//!
//! | what happens | then |
//! |---|---|
//! | this tab owns the audio | microphone opened, line offered; fit when the line stands and can be heard |
//! | a call is in the ear | the microphone goes onto the line; off it afterwards |
//! | the network changes, the line breaks, the engine restarts, or does not hear us | a fresh line takes over; the call stays |
//! | another tab takes over | microphone and line are given back |
//!
//! It knows nothing of views, and decides nothing about calls.

import { batch, computed, signal } from "@preact/signals";
import { after, every, within } from "../live/scope";
import type { Link, Notice } from "../live/link";
import { chosenDevices, keepDevices, openMicrophone, playOn, pluggedIn, whyNoMicrophone, type Chosen, type Devices } from "./devices";
import { Ear, meter, type Hearing } from "./level";
import { Owner, type Ownership } from "./owner";
import { Ringer, type RingerFault } from "./ringer";
import { Wire, type Quality } from "./wire";

/** `desk`: this agent's phone is no page. */
export type LineState = "none" | "connecting" | "up" | "broken" | "desk";

/** How long a line may waver before a fresh one is made: a lost packet is no lost network. */
const WAVERS = 1_500;
/** Between two tries for a line. */
const TRY_AGAIN = 1_000;
/** An answer to an offer that takes longer will not come. */
const ANSWER_WITHIN = 3_000;
/** The engine still does not hear us: a fresh line again. A handshake takes a tenth of it. */
const REPAIR_EVERY = 2_000;
const LEVEL_EVERY = 100;
const QUALITY_EVERY = 2_000;

export class Phone {
  readonly ownership = signal<Ownership>("asking");
  readonly line = signal<LineState>("none");
  /** Why there is no microphone; empty when there is one. */
  readonly microphone = signal("connecting");
  readonly blocked = signal(false);
  /** Why a call would not be heard ringing; empty: it would. */
  readonly ringer = signal<RingerFault>("");
  readonly muted = signal(false);
  readonly inCall = signal(false);
  readonly hearing = signal<Hearing>({ level: -100, dead: false, speaksMuted: false });
  readonly quality = signal<Quality | null>(null);
  /** The call is up and nothing arrives. */
  readonly deaf = signal(false);
  readonly chosen = signal<Chosen>(chosenDevices());
  readonly devices = signal<Devices>({ microphones: [], speakers: [] });

  /** Why this page cannot talk, as a code; empty: it can. */
  readonly why = computed(() => {
    if (this.line.value === "desk") return "";
    if (this.ownership.value !== "ours") return "not-owner";
    if (this.microphone.value) return this.microphone.value;
    if (this.line.value !== "up") return "no-line";
    return this.blocked.value ? "playback-blocked" : "";
  });

  readonly #scope: AbortSignal;
  readonly #link: Link;
  readonly #owner: Owner;
  readonly #context = new AudioContext();
  readonly #ringer = new Ringer(this.#context);
  /** The tone in the headset before a call that comes without a key. */
  readonly #tone = new Ringer(this.#context);
  readonly #element = new Audio();
  #open: MediaStream | null = null;
  #track: MediaStreamTrack | null = null;
  #meter: ReturnType<typeof meter> | null = null;
  #ear = new Ear(0);
  #wire: Wire | null = null;
  /** Offered, not standing yet; the line before it carries on until it does. */
  #next: Wire | null = null;
  #told: string | null = null;
  #epoch: number | null = null;
  #repairs: AbortController | null = null;

  constructor(scope: AbortSignal, link: Link, agent: string) {
    this.#scope = scope;
    this.#link = link;
    this.#owner = new Owner(scope, agent, (ownership) => this.#owned(ownership));
    this.#element.autoplay = true;
    link.health = () => ({ visible: document.visibilityState === "visible", audio: this.why.peek() || "fit" });
    link.listen(scope, (notice) => this.#heard(notice));
    const stopTelling = this.why.subscribe(() => this.#tell());
    const stopWatching = link.board.subscribe(({ welcome }) => this.#welcomed(welcome?.epoch ?? null));
    const stopLine = link.line.subscribe(() => this.#tell());
    scope.addEventListener("abort", () => {
      stopTelling();
      stopWatching();
      stopLine();
      this.#hangUp();
      this.#ringer.stop();
      void this.#context.close();
    }, { once: true });
    every(scope, LEVEL_EVERY, () => this.#listen());
    every(scope, QUALITY_EVERY, () => void this.#measure());
    this.#watchNetwork();
    this.#watchGestures();
    navigator.mediaDevices.addEventListener("devicechange", () => void this.#replug(), { signal: scope });
    this.#owner.ask(false);
  }

  /** Takes the audio from whichever tab or browser has it. */
  takeOver(): void {
    this.#link.say({ type: "take_over" });
    this.#told = null;
    this.#owner.ask(true);
  }

  /** The microphone goes onto the line, or off it. The line itself stays. */
  attach(inCall: boolean): void {
    if (this.inCall.peek() === inCall) return;
    this.inCall.value = inCall;
    if (!inCall) this.mute(false); // the next caller must not meet a mute of the last
    if (inCall) this.#ear = new Ear(performance.now());
    void this.#wire?.send(inCall ? this.#track : null);
  }

  /** In a call the engine hears us no more, whatever the browser believes of its line: it may know for
   * ten seconds nothing of a network that is gone. */
  unheard(lost: boolean): void {
    if (lost === (this.#repairs !== null)) return;
    this.#repairs?.abort();
    this.#repairs = lost ? within(this.#scope) : null;
    if (!this.#repairs) return;
    this.#reconnect();
    every(this.#repairs.signal, REPAIR_EVERY, () => this.#reconnect());
  }

  mute(muted: boolean): void {
    this.muted.value = muted;
    if (this.#track) this.#track.enabled = !muted; // packets of silence go on: a mute is no loss
  }

  ring(how: "no" | "calm" | "urgent"): void {
    if (how === "no" || this.ownership.peek() === "elsewhere") this.#ringer.stop();
    else this.#ringer.ring(how === "urgent");
  }

  /** In the headset: a vital call follows. */
  beep(): void {
    void this.#tone.once(true);
  }

  testRinger(): void {
    void this.#ringer.once(false);
  }

  /** Other devices from here on, in the middle of a call too. */
  async choose(chosen: Chosen): Promise<void> {
    const before = this.chosen.peek();
    this.chosen.value = chosen;
    keepDevices(chosen);
    await this.#route();
    if (before.microphone !== chosen.microphone || before.processing !== chosen.processing) await this.#openMicrophone();
  }

  #owned(ownership: Ownership): void {
    this.ownership.value = ownership;
    if (ownership === "ours") void this.#start();
    if (ownership === "elsewhere") this.#hangUp();
  }

  async #start(): Promise<void> {
    await this.#route();
    await this.#openMicrophone();
    await this.#connect();
  }

  async #openMicrophone(): Promise<void> {
    try {
      const open = await openMicrophone(this.chosen.peek());
      const [raw] = open.getAudioTracks();
      if (!raw || this.ownership.peek() !== "ours") { stop(open); return; }
      const former = this.#open;
      this.#open = open;
      // The line has a track of its own: muting it must not blind the level meter.
      this.#track = raw.clone();
      this.#track.enabled = !this.muted.peek();
      raw.addEventListener("ended", () => void this.#replug(), { signal: this.#scope });
      this.#meter?.stop();
      this.#meter = meter(this.#context, open);
      this.#ear = new Ear(performance.now());
      if (this.inCall.peek()) await this.#wire?.send(this.#track);
      if (former) stop(former);
      this.microphone.value = "";
      this.devices.value = await pluggedIn();
    } catch (error) {
      this.microphone.value = whyNoMicrophone(error);
    }
  }

  /** Something was plugged in or out: keep talking with what is left. */
  async #replug(): Promise<void> {
    this.devices.value = await pluggedIn();
    await this.#route();
    const isLive = this.#open?.getAudioTracks().some((track) => track.readyState === "live") ?? false;
    if (!isLive && this.ownership.peek() === "ours") {
      await this.#openMicrophone();
      if (!this.#wire) await this.#connect();
    }
  }

  async #route(): Promise<void> {
    const { headset, ringer } = this.chosen.peek();
    await playOn(this.#element, headset);
    await this.#tone.playOn(headset);
    this.ringer.value = await this.#ringer.playOn(ringer);
  }

  /** Makes a line and offers it; the one before carries on until this one stands. */
  async #connect(): Promise<void> {
    if (!this.#track || this.ownership.peek() !== "ours" || this.line.peek() === "desk") return;
    if (this.#link.line.peek() !== "up") return; // `#tell` comes back to it
    if (this.#next) return; // one is on its way
    if (this.line.peek() !== "up") this.line.value = "connecting";
    let audio: MediaStream | null = null;
    const wire = new Wire(
      this.#track,
      (state) => this.#changed(wire, state, audio),
      (stream) => (audio = stream),
    );
    this.#next = wire;
    const sdp = await wire.offer();
    await wire.send(this.inCall.peek() ? this.#track : null);
    if (this.#next !== wire) return;
    this.#link.say({ type: "rtc.offer", sdp });
    after(this.#scope, ANSWER_WITHIN, () => {
      if (this.#next === wire && !wire.stands) this.#tryAgain();
    });
  }

  /** A fresh line, whatever was on its way. */
  #reconnect(): void {
    this.#next?.close();
    this.#next = null;
    void this.#connect();
  }

  #changed(wire: Wire, state: RTCPeerConnectionState, audio: MediaStream | null): void {
    if (state === "connected" && wire === this.#next) {
      this.#wire?.close();
      [this.#wire, this.#next] = [wire, null];
      void wire.send(this.inCall.peek() ? this.#track : null);
      this.#element.srcObject = audio;
      this.#play();
      this.line.value = "up";
      return;
    }
    if (wire !== this.#wire) {
      if (state === "failed" && wire === this.#next) this.#tryAgain();
      return;
    }
    if (state === "failed" || state === "closed") {
      this.line.value = "broken";
      void this.#connect();
    }
    if (state === "disconnected") {
      after(this.#scope, WAVERS, () => {
        if (wire === this.#wire && !wire.stands) void this.#connect();
      });
    }
  }

  #tryAgain(): void {
    this.#next?.close();
    this.#next = null;
    if (this.line.peek() !== "up") this.line.value = "broken";
    after(this.#scope, TRY_AGAIN, () => {
      if (!this.#next) void this.#connect();
    });
  }

  #heard(notice: Notice): void {
    switch (notice.type) {
      case "rtc.answer":
        this.#next?.answered(notice.sdp).catch(() => this.#tryAgain());
        return;
      case "rtc.failed":
        if (notice.why === "owned") this.#owned("elsewhere");
        else if (notice.why === "no_page") this.#isDesk();
        else if (notice.why === "unheard") void this.#connect(); // unless one is on its way
        else if (this.#next) this.#tryAgain();
        else this.#reconnect();
        return;
      case "taken_over":
        this.#owner.letGo();
        this.#owned("elsewhere");
        return;
      case "offer":
      case "offer_ended":
      case "error":
        return;
    }
  }

  #isDesk(): void {
    this.#hangUp();
    this.line.value = "desk";
  }

  /** The engine says hello: at another start of it, our line leads nowhere. */
  #welcomed(epoch: number | null): void {
    if (epoch === null || epoch === this.#epoch) return;
    this.#epoch = epoch;
    if (this.#wire) void Promise.resolve().then(() => this.#reconnect()); // once the link says that it is up
  }

  /** Tells the engine whether this page can talk, at every change and on every fresh connection. */
  #tell(): void {
    if (this.#link.line.value !== "up") {
      this.#told = null;
      return;
    }
    const why = this.why.value;
    if (why === this.#told || this.ownership.peek() !== "ours" || this.line.peek() === "desk") return;
    if (this.#link.say({ type: "audio", fit: why === "", why })) this.#told = why;
    if (this.line.peek() !== "up" && !this.#next) void this.#connect();
  }

  #play(): void {
    this.#element.play().then(
      () => (this.blocked.value = false),
      () => (this.blocked.value = true),
    );
  }

  #listen(): void {
    if (!this.#meter) return;
    this.hearing.value = this.#ear.hear(this.#meter.level(), this.muted.peek(), performance.now());
  }

  async #measure(): Promise<void> {
    const quality = await this.#wire?.quality().catch(() => null);
    const before = this.quality.peek();
    batch(() => {
      this.quality.value = quality ?? null;
      const stuck = before !== null && quality !== null && quality?.received === before.received;
      this.deaf.value = this.inCall.peek() && stuck;
    });
  }

  #watchNetwork(): void {
    const changed = () => this.#reconnect();
    addEventListener("online", changed, { signal: this.#scope });
    const network = (navigator as { connection?: EventTarget }).connection; // Chromium and Android only
    network?.addEventListener("change", changed, { signal: this.#scope });
  }

  /** A browser may play nothing before the first key or click. */
  #watchGestures(): void {
    const gesture = () => {
      if (this.#context.state === "suspended" || this.ringer.peek() === "blocked") void this.#context.resume().then(() => this.#route());
      if (this.blocked.peek()) this.#play();
    };
    for (const kind of ["pointerdown", "keydown"]) {
      addEventListener(kind, gesture, { capture: true, passive: true, signal: this.#scope });
    }
  }

  #hangUp(): void {
    for (const wire of [this.#wire, this.#next]) wire?.close();
    [this.#wire, this.#next] = [null, null];
    this.#element.srcObject = null;
    this.#meter?.stop();
    this.#meter = null;
    if (this.#open) stop(this.#open);
    this.#track?.stop();
    [this.#open, this.#track] = [null, null];
    batch(() => {
      if (this.line.peek() !== "desk") this.line.value = "none";
      this.microphone.value = "connecting";
      this.quality.value = null;
    });
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
