//! The ringer: a device of its own, so that a call rings in the room while the headset lies on the desk.

import { playOn } from "./devices";

/** What an offer sounds like: two notes, higher and closer for a call behind the fence. */
const CALM = [660, 550];
const URGENT = [990, 880];

/** Why a ringer would not be heard: its device is not there, or the browser wants a key or a click first. */
export type RingerFault = "" | "gone" | "blocked";

export class Ringer {
  readonly #context: AudioContext;
  readonly #element = new Audio();
  readonly #gain: GainNode;
  #rings: "no" | "calm" | "urgent" = "no";
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
    const out = context.createMediaStreamDestination();
    this.#gain = context.createGain();
    this.#gain.gain.value = 0;
    this.#gain.connect(out);
    this.#element.srcObject = out.stream;
  }

  /** Takes a device, and checks without a sound that it would be heard: at log-in, and whenever something was plugged. */
  async playOn(device: string): Promise<RingerFault> {
    if (!(await playOn(this.#element, device))) return "gone";
    const plays = await this.#element.play().then(() => true, () => false);
    return plays && this.#context.state === "running" ? "" : "blocked";
  }

  /** Rings until told otherwise; ringing already, it keeps its rhythm. */
  ring(urgent: boolean): void {
    const wanted = urgent ? "urgent" : "calm";
    if (this.#rings === wanted) return;
    this.stop();
    this.#rings = wanted;
    void this.#element.play().catch(() => undefined); // without a gesture yet: the page shows the offer all the same
    this.#chime(urgent);
    this.#timer = setInterval(() => this.#chime(urgent), urgent ? 900 : 1_600);
  }

  /** Once: to check that it can be heard, or before a call that comes without a key. */
  async once(urgent: boolean): Promise<void> {
    await this.#element.play().catch(() => undefined);
    this.#chime(urgent);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#rings = "no";
  }

  #chime(urgent: boolean): void {
    const start = this.#context.currentTime;
    const notes = urgent ? URGENT : CALM;
    for (const [index, frequency] of notes.entries()) {
      const note = this.#context.createOscillator();
      const at = start + index * 0.18;
      note.frequency.value = frequency;
      note.connect(this.#gain);
      note.start(at);
      note.stop(at + 0.16);
      // A short slope instead of a click.
      this.#gain.gain.setTargetAtTime(0.25, at, 0.01);
      this.#gain.gain.setTargetAtTime(0, at + 0.13, 0.01);
    }
  }
}
