//! One caller of the trunk, or somebody who is called over it, written for the ear: says 1 kHz for as long as
//! the call lasts and notes what it hears, packet by packet, with the time. `bandeau load` counts calls; this one
//! listens to one. A sound is the one tone it is, or several as text in their order (`"400+700"`).

import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";

const RATE = 8_000;
const FRAME = 160;
const CALLER_HZ = 1_000;
const TONES = [400, 700, CALLER_HZ];
/** Share of the power that makes a sound a tone, or several together; and of one among several. */
const SHARE_MIN = 0.8;
const PART_MIN = 0.1;
/** Root mean square of 16 bit samples: the engine's comfort noise is near 20, a hold sound or a voice above 300. */
const MURMUR_MAX = 120;

/** Calls `15` at a SIP address of this machine; the answer is awaited, and heard from its first packet. */
export async function call(sipPort, { from = "+33639981200", to = "15" } = {}) {
  const [sip, rtp] = await Promise.all([bound(), bound()]);
  const [mine, talk] = [sip.address().port, rtp.address().port];
  const [branch, tag, id] = [`z9hG4bK${hex(8)}`, hex(6), `${hex(10)}@127.0.0.1`];
  const voice = voiceOf(rtp);
  const caller = { ...voice, answeredAt: null, byeAt: null };
  const offer = describes(talk);
  const uri = to.startsWith("urn:") ? to : `sip:${to}@127.0.0.1:${sipPort}`;
  const text = (method, cseq, more, body = "", via = branch) =>
    [`${method} ${caller.target ?? uri} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${mine};branch=${via};rport`, "Max-Forwards: 70",
      `From: <sip:${from}@127.0.0.1>;tag=${tag}`, `To: ${caller.remote ?? `<${uri}>`}`, `Call-ID: ${id}`, `CSeq: ${cseq} ${method === "ACK" ? "ACK" : method}`,
      `Contact: <sip:${from}@127.0.0.1:${mine}>`, ...more, `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n");
  const send = (message) => sip.send(message, sipPort, "127.0.0.1");

  const answered = new Promise((done) => {
    sip.on("message", (bytes) => {
      const message = bytes.toString("latin1");
      const [head, body = ""] = message.split("\r\n\r\n");
      const field = fieldOf(head);
      if (/^SIP\/2.0 1\d\d/.test(head)) voice.begin(body);
      else if (/^SIP\/2.0 2/.test(head) && /INVITE/.test(field("CSeq") ?? "")) {
        caller.remote = field("To");
        caller.target = /<([^>]+)>/.exec(field("Contact") ?? "")?.[1] ?? uri;
        send(text("ACK", 1, [], "", `z9hG4bK${hex(8)}`));
        voice.begin(body);
        caller.answeredAt ??= Date.now();
        done();
      } else if (/^(BYE|INVITE|UPDATE|OPTIONS) /.test(head)) {
        if (head.startsWith("BYE ")) caller.byeAt ??= Date.now();
        const agreed = /^(INVITE|UPDATE) /.test(head) ? offer : "";
        send(response("200 OK", head, `sip:${from}@127.0.0.1:${mine}`, agreed));
      }
    });
  });
  send(text("INVITE", 1, ["Content-Type: application/sdp"], offer));

  let ended = false;
  Object.assign(caller, {
    hangUp() {
      if (ended) return;
      ended = true;
      if (caller.byeAt === null && caller.remote) send(text("BYE", 2, [], "", `z9hG4bK${hex(8)}`));
      voice.end();
      setTimeout(() => [sip, rtp].forEach((socket) => socket.close()), 200);
    },
  });
  await answered;
  return caller;
}

/** Somebody at a socket who is called over the trunk: the next INVITE is answered, and both may talk. */
export async function pickUp(socket, sipPort) {
  const rtp = await bound();
  const [mine, voice] = [`sip:outside@127.0.0.1:${socket.address().port}`, voiceOf(rtp)];
  const person = { ...voice, calledAt: null, byeAt: null, from: null };
  const send = (message) => socket.send(message, sipPort, "127.0.0.1");
  const hear = (bytes) => {
    const [head, body = ""] = bytes.toString("latin1").split("\r\n\r\n");
    const field = fieldOf(head);
    const answers = (status, said = "") => send(response(status, head, mine, said, "outside"));
    if (head.startsWith("INVITE ")) {
      person.calledAt ??= Date.now();
      person.from ??= field("From");
      answers("180 Ringing");
      answers("200 OK", describes(rtp.address().port));
      voice.begin(body);
    } else if (/^(BYE|OPTIONS|UPDATE) /.test(head)) {
      if (head.startsWith("BYE ")) person.byeAt ??= Date.now();
      answers("200 OK");
    }
  };
  socket.on("message", hear);
  person.leave = () => {
    socket.off("message", hear);
    voice.end();
    rtp.close();
  };
  return person;
}

/** What a socket hears, and what is said by it once it is known to whom. */
function voiceOf(rtp) {
  const heard = []; // { at, sound }, only changes
  let speak = null;
  rtp.on("message", (bytes) => {
    const sound = judge(bytes);
    if (sound !== null && heard.at(-1)?.sound !== sound) heard.push({ at: Date.now(), sound });
  });
  return {
    heard,
    /** Speaks to whoever describes themselves so. */
    begin(body) {
      const port = Number(/^m=audio (\d+)/m.exec(body)?.[1]);
      if (!port || speak) return;
      const [started, ssrc] = [performance.now(), randomBytes(4)];
      let sent = 0;
      speak = setInterval(() => {
        // As many as are due: a late timer makes no gap in the speech.
        for (; sent * 20 <= performance.now() - started; sent++) rtp.send(packet(sent, ssrc), port, "127.0.0.1");
      }, 10);
    },
    end: () => clearInterval(speak),
    /** When this sound was first heard after a time; `since` itself when it was there already. */
    firstOf(sound, since) {
      const before = heard.findLast(({ at }) => at <= since);
      if (before?.sound === sound) return since;
      return heard.find((one) => one.sound === sound && one.at > since)?.at ?? null;
    },
    /** The share of a span of time in which this was heard. */
    portion(sound, from, until) {
      let [total, now, at] = [0, null, from];
      for (const one of [...heard, { at: until, sound: null }]) {
        const upTo = Math.min(Math.max(one.at, from), until);
        if (now === sound) total += upTo - at;
        [now, at] = [one.sound, upTo];
      }
      return total / (until - from);
    },
  };
}

/** The answer to a request; a tag of ours where it has none yet. */
function response(status, head, contact, body = "", tag = "") {
  const copied = head.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq|Record-Route):/i.test(line));
  const tagged = copied.map((line) => (tag && /^To:/i.test(line) && !line.includes(";tag=") ? `${line};tag=${tag}` : line));
  return [`SIP/2.0 ${status}`, ...tagged, `Contact: <${contact}>`, ...(body ? ["Content-Type: application/sdp"] : []), `Content-Length: ${body.length}`, "", body].join("\r\n");
}

/** A-law at a port of this machine. */
function describes(port) {
  return ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", `m=audio ${port} RTP/AVP 8`, "a=rtpmap:8 PCMA/8000", "a=ptime:20", ""].join("\r\n");
}

const fieldOf = (head) => (name) => new RegExp(`^${name}:\\s*(.*)$`, "im").exec(head)?.[1]?.trim();

function judge(bytes) {
  if (bytes.length < 12 + FRAME || (bytes[1] & 0x7f) !== 8) return null; // a key press, or no audio
  const samples = Array.from(bytes.subarray(12), alaw);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const level = Math.sqrt(power);
  const shares = TONES.map((hertz) => share(samples, hertz));
  if (level > MURMUR_MAX) {
    const alone = TONES.find((_, nth) => shares[nth] > SHARE_MIN);
    if (alone) return alone;
    if (shares.reduce((sum, part) => sum + part) > SHARE_MIN) return TONES.filter((_, nth) => shares[nth] > PART_MIN).join("+");
  }
  if (samples.every((sample) => Math.abs(sample) <= 8)) return "silence"; // A-law has no zero
  return level < MURMUR_MAX ? "comfort" : "other";
}

function share(samples, hertz) {
  let [sine, cosine, all] = [0, 0, 0];
  for (const [n, sample] of samples.entries()) {
    const angle = (2 * Math.PI * hertz * n) / RATE;
    sine += sample * Math.sin(angle);
    cosine += sample * Math.cos(angle);
    all += sample * sample;
  }
  return all === 0 ? 0 : (2 * (sine * sine + cosine * cosine)) / (samples.length * all);
}

/** A-law to linear (ITU-T G.711 §3). */
function alaw(byte) {
  const toggled = byte ^ 0x55;
  const exponent = (toggled & 0x70) >> 4;
  const mantissa = ((toggled & 0x0f) << 4) + 8;
  const sample = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return toggled & 0x80 ? sample : -sample;
}

function toAlaw(sample) {
  const sign = sample >= 0 ? 0x80 : 0;
  const size = Math.min(Math.abs(sample), 32_635);
  const exponent = size < 256 ? 0 : Math.floor(Math.log2(size)) - 7;
  const mantissa = exponent === 0 ? size >> 4 : (size >> (exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

/** 20 ms of 1 kHz: whole waves, so that every packet is the same. */
const VOICE = Buffer.from(Array.from({ length: FRAME }, (_, n) => toAlaw(Math.round(8_000 * Math.sin((2 * Math.PI * CALLER_HZ * n) / RATE)))));

function packet(nth, ssrc) {
  const head = Buffer.alloc(12);
  head[0] = 0x80;
  head[1] = 8;
  head.writeUInt16BE(nth & 0xffff, 2);
  head.writeUInt32BE((nth * FRAME) >>> 0, 4);
  ssrc.copy(head, 8);
  return Buffer.concat([head, VOICE]);
}

const hex = (bytes) => randomBytes(bytes).toString("hex");

function bound() {
  return new Promise((done, failed) => {
    const socket = createSocket("udp4").on("error", failed);
    socket.bind(0, "127.0.0.1", () => done(socket));
  });
}
