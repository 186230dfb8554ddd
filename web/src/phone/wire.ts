//! One peer connection: from the microphone's track to a line that stands.
//!
//! It lives for the shift, or until the network changes: then a fresh one takes over at the engine,
//! which keeps the call attached meanwhile. A restart of ICE alone would leave both ends to agree on
//! whether their keys still hold; a handshake costs a tenth of a second and leaves nothing to agree on.

/** The engine speaks G.711 A-law and nothing else to a page: no codec stands between two networks. */
const CODECS = ["audio/PCMA", "audio/telephone-event"];
/** Our addresses are known at once on a wired desk; an engine with ICE-lite needs none of them. */
const GATHER_WITHIN = 400;

export type Quality = { rtt: number | null; jitter: number; lost: number; received: number };

export class Wire {
  readonly #peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  readonly #sender: RTCRtpSender;

  constructor(track: MediaStreamTrack, onState: (state: RTCPeerConnectionState) => void, onAudio: (stream: MediaStream) => void) {
    const stream = new MediaStream([track]);
    const line = this.#peer.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
    this.#sender = line.sender;
    const known = RTCRtpReceiver.getCapabilities("audio")?.codecs ?? [];
    const ours = known.filter((codec) => CODECS.includes(codec.mimeType) && codec.clockRate === 8_000);
    line.setCodecPreferences(ours.sort((a, b) => CODECS.indexOf(a.mimeType) - CODECS.indexOf(b.mimeType)));
    this.#peer.addEventListener("track", ({ track }) => onAudio(new MediaStream([track])));
    this.#peer.addEventListener("connectionstatechange", () => onState(this.#peer.connectionState));
  }

  /** What to tell the engine: the whole offer with its addresses, in one message. */
  async offer(): Promise<string> {
    await this.#peer.setLocalDescription();
    await new Promise<void>((done) => {
      const isDone = () => {
        if (this.#peer.iceGatheringState === "complete") done();
      };
      this.#peer.addEventListener("icegatheringstatechange", isDone);
      setTimeout(done, GATHER_WITHIN);
      isDone();
    });
    return this.#peer.localDescription?.sdp ?? "";
  }

  async answered(sdp: string): Promise<void> {
    if (this.#peer.signalingState !== "have-local-offer") return; // an answer to an offer that was given up
    await this.#peer.setRemoteDescription({ type: "answer", sdp });
  }

  /** Attaches the microphone, or takes it off the line: no negotiation, no packet of an idle room. */
  async send(track: MediaStreamTrack | null): Promise<void> {
    if (this.#peer.signalingState !== "closed") await this.#sender.replaceTrack(track);
  }

  /** Whether packets flow as far as the browser knows. */
  get stands(): boolean {
    return this.#peer.connectionState === "connected";
  }

  /** How the line does, from the engine's reports and ours. */
  async quality(): Promise<Quality> {
    const quality: Quality = { rtt: null, jitter: 0, lost: 0, received: 0 };
    // The types of the reports are the browser's to extend: each is looked at by its own name.
    const reports = (await this.#peer.getStats()) as unknown as ReadonlyMap<string, Record<string, unknown>>;
    for (const report of reports.values()) {
      const number = (name: string) => (typeof report[name] === "number" ? report[name] : null);
      if (report["type"] === "inbound-rtp") {
        quality.jitter = (number("jitter") ?? 0) * 1_000;
        quality.lost = number("packetsLost") ?? 0;
        quality.received = number("packetsReceived") ?? 0;
      }
      if (report["type"] === "candidate-pair" && report["state"] === "succeeded") {
        const rtt = number("currentRoundTripTime");
        if (rtt !== null) quality.rtt = rtt * 1_000;
      }
    }
    return quality;
  }

  close(): void {
    this.#peer.close();
  }
}
