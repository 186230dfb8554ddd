//! How loud the microphone is, and whether it lives.

/** Below this a headset on a table lies, in dBFS; a person who speaks is 20 to 40 dB above. */
export const SPEECH_DB = -45;
/** Quieter than any room: a switched-off or broken microphone. */
export const DEAD_DB = -85;
/** So long without any sound before a microphone is called dead. */
const DEAD_AFTER = 4_000;

/** The level of a block of samples in dBFS; silence is `-100`. */
export function decibels(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return rms < 1e-5 ? -100 : 20 * Math.log10(rms);
}

/** What follows from the levels heard so far. */
export type Hearing = { level: number; dead: boolean; speaksMuted: boolean };

/** Folds levels into what the agent must be told; `at` in milliseconds. */
export class Ear {
  #alive: number;
  #spoke = 0;

  constructor(at: number) {
    this.#alive = at;
  }

  hear(level: number, muted: boolean, at: number): Hearing {
    if (level > DEAD_DB) this.#alive = at;
    // A cough is no speech: it must last for a few looks.
    this.#spoke = muted && level > SPEECH_DB ? this.#spoke + 1 : 0;
    return { level, dead: at - this.#alive > DEAD_AFTER, speaksMuted: this.#spoke >= 4 };
  }
}

/** Measures a stream; the returned function gives the level of this instant. */
export function meter(context: AudioContext, stream: MediaStream): { level: () => number; stop: () => void } {
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser); // not to the speakers: nobody hears himself
  const samples = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      return decibels(samples);
    },
    stop: () => source.disconnect(),
  };
}
