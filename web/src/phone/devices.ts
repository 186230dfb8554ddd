//! Microphone, headset and ringer: which ones, as this browser was told last.

/** The devices of this position; an empty id is the system's choice. */
export type Chosen = {
  microphone: string;
  headset: string;
  /** Rings aloud in the room, apart from the headset. */
  ringer: string;
  /** The browser's echo and noise processing; off for a headset that does it itself. */
  processing: boolean;
};

export type Device = { id: string; label: string };

export type Devices = { microphones: Device[]; speakers: Device[] };

const KEPT_AS = "bandeau.devices";
const DEFAULT: Chosen = { microphone: "", headset: "", ringer: "", processing: true };

/** What was chosen last at this browser. */
export function chosenDevices(): Chosen {
  try {
    return { ...DEFAULT, ...(JSON.parse(localStorage.getItem(KEPT_AS) ?? "{}") as Partial<Chosen>) };
  } catch {
    return DEFAULT; // a browser without storage, or a text somebody edited
  }
}

/** Keeps the choice for the next shift at this browser. */
export function keepDevices(chosen: Chosen): void {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(chosen));
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

/** What is plugged in. Names are known once the microphone has been allowed. */
export async function pluggedIn(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== "")
      .map((device, index) => ({ id: device.deviceId, label: device.label || `${index + 1}` }));
  return { microphones: of("audioinput"), speakers: of("audiooutput") };
}

/** Opens the microphone; one that is no longer plugged in is replaced by the system's choice. */
export async function openMicrophone(chosen: Chosen): Promise<MediaStream> {
  const audio: MediaTrackConstraints = {
    channelCount: 1,
    echoCancellation: chosen.processing,
    noiseSuppression: chosen.processing,
    autoGainControl: chosen.processing,
  };
  if (!chosen.microphone) return navigator.mediaDevices.getUserMedia({ audio });
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: chosen.microphone } } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "OverconstrainedError") {
      return navigator.mediaDevices.getUserMedia({ audio });
    }
    throw error;
  }
}

/** Why a microphone cannot be had, as a code of the page's audio. */
export function whyNoMicrophone(error: unknown): string {
  if (!(error instanceof DOMException)) return "microphone-failed";
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "microphone-denied";
    case "NotFoundError":
      return "no-microphone";
    case "NotReadableError":
      return "microphone-busy";
    default:
      return "microphone-failed";
  }
}

/** Sends what an element plays to a device; where that cannot be had, the system's choice stays, and `false`. */
export async function playOn(element: HTMLAudioElement, device: string): Promise<boolean> {
  if (!("setSinkId" in element)) return device === "";
  try {
    await element.setSinkId(device);
    return true;
  } catch {
    await element.setSinkId("").catch(() => undefined); // it was unplugged
    return false;
  }
}
