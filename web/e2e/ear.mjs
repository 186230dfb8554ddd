//! Listens to what a page decodes, beside the page: 20 ms at a time, whole waves of every tone. A sound is the
//! one tone it is, or several as text in their order (`"400+1000"`).

/** Put into a page before its own scripts; with a fault, one way of every line is cut, or of the first
 * line alone (`dumb-at-first`). */
export function installEar(fault) {
  const TONES = [400, 700, 1_000]; // a second microphone, a microphone, a caller
  const SHARE_MIN = 0.8; // of the power: of one tone, or of several together
  const PART_MIN = 0.1; // of one among several
  const SILENCE = 1e-6; // mean square, full scale 1: about -60 dB
  const heard = []; // { at, sound }, only changes
  const hear = (sound, at) => {
    if (heard.at(-1)?.sound !== sound) heard.push({ at, sound });
  };
  const share = (samples, rate, hertz, all) => {
    let [sine, cosine] = [0, 0];
    for (let n = 0; n < samples.length; n++) {
      const angle = (2 * Math.PI * hertz * n) / rate;
      sine += samples[n] * Math.sin(angle);
      cosine += samples[n] * Math.cos(angle);
    }
    return (2 * (sine * sine + cosine * cosine)) / (samples.length * all);
  };
  const judge = (samples, rate) => {
    const all = samples.reduce((sum, sample) => sum + sample * sample, 0);
    if (all / samples.length < SILENCE) return "silence";
    const shares = TONES.map((hertz) => share(samples, rate, hertz, all));
    const alone = TONES.find((_, nth) => shares[nth] > SHARE_MIN);
    if (alone) return alone;
    if (shares.reduce((sum, part) => sum + part) < SHARE_MIN) return "other";
    return TONES.filter((_, nth) => shares[nth] > PART_MIN).join("+");
  };
  const listen = async (track) => {
    const reader = new globalThis.MediaStreamTrackProcessor({ track }).readable.getReader();
    let kept = new Float32Array(0);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const part = new Float32Array(value.numberOfFrames);
      value.copyTo(part, { planeIndex: 0, format: "f32-planar" });
      const { sampleRate } = value;
      value.close();
      const joined = new Float32Array(kept.length + part.length);
      joined.set(kept);
      joined.set(part, kept.length);
      kept = joined;
      const size = sampleRate / 50;
      while (kept.length >= size) {
        hear(judge(kept.subarray(0, size), sampleRate), performance.timeOrigin + performance.now());
        kept = kept.slice(size);
      }
    }
  };
  let first = null;
  const Native = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Native {
    constructor(options) {
      super(fault === "deaf" ? { ...options, encodedInsertableStreams: true } : options);
      this.addEventListener("track", ({ track }) => void listen(track));
    }
    addTransceiver(...args) {
      const line = super.addTransceiver(...args);
      first ??= line.sender;
      if (fault === "deaf") {
        const sent = line.sender.createEncodedStreams();
        void sent.readable.pipeTo(sent.writable);
        void line.receiver.createEncodedStreams().readable.pipeTo(new WritableStream()); // into nothing
      }
      return line;
    }
  };
  if (fault.startsWith("dumb")) {
    const replace = RTCRtpSender.prototype.replaceTrack;
    RTCRtpSender.prototype.replaceTrack = function (track) {
      return replace.call(this, fault === "dumb" || this === first ? null : track);
    };
  }
  globalThis.ear = {
    heard,
    now: () => heard.at(-1)?.sound ?? "nothing",
    /** The share of a span of time in which this was heard. */
    portion: (sound, from, until) => {
      let [total, now, at] = [0, null, from];
      for (const one of [...heard, { at: until, sound: null }]) {
        const upTo = Math.min(Math.max(one.at, from), until);
        if (now === sound) total += upTo - at;
        [now, at] = [one.sound, upTo];
      }
      return total / (until - from);
    },
    firstOf: (sound, since) => {
      if (heard.at(-1)?.sound === sound && heard.at(-1).at <= since) return since;
      return heard.find((one) => one.sound === sound && one.at >= since)?.at ?? null;
    },
  };
}
