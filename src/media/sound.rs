//! Sounds: what callers may be played, cut into frames of both laws once, at start.

use crate::media::g711::{self, FRAME, Frame, RATE};
use crate::media::tone;
use engine::media::Codec;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The sounds compiled into the program (`sounds/README.md` says how they were made).
const EMBEDDED: [(&str, &[u8]); 8] = [
    ("welcome", include_bytes!("../../sounds/welcome.wav")),
    ("hold", include_bytes!("../../sounds/hold.wav")),
    ("confirm", include_bytes!("../../sounds/confirm.wav")),
    ("agent-1", include_bytes!("../../sounds/agent-1.wav")),
    ("caller-1", include_bytes!("../../sounds/caller-1.wav")),
    ("caller-2", include_bytes!("../../sounds/caller-2.wav")),
    ("caller-3", include_bytes!("../../sounds/caller-3.wav")),
    ("caller-4", include_bytes!("../../sounds/caller-4.wav")),
];

/// The largest sound file taken: two minutes of 16 bit samples. A longer one costs memory in both
/// laws and no caller hears its end.
pub const FILE_MAX: usize = 2 * 2 * 60 * RATE as usize;

/// Every sound a plane can play, by name. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sounds {
    named: BTreeMap<String, Arc<Sound>>,
    ring_back: Arc<Sound>,
    comfort: Arc<Sound>,
}

/// One sound, encoded: at least one frame, the last filled up with silence.
#[derive(Debug, PartialEq, Eq)]
pub struct Sound {
    pcma: Box<[Frame]>,
    pcmu: Box<[Frame]>,
}

/// Why a directory of sounds cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SoundError {
    /// The directory, or a file of it, cannot be read.
    #[error("cannot read sound `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what can be played.
    #[error("sound `{path}`: {fault}")]
    Unplayable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        fault: WavFault,
    },
}

/// What is wrong with a WAV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavFault {
    /// It has no RIFF/WAVE header, or ends inside a chunk.
    #[error("not a WAV file, or cut short")]
    NotWav,
    /// Its samples are of another kind.
    #[error(
        "{channels} channels at {rate} Hz in format {format} ({bits} bit): convert it to 8000 Hz mono, \
         16 bit, A-law or mu-law (`sox in.wav -r 8000 -c 1 -e a-law out.wav`)"
    )]
    Format {
        /// The format tag: 1 is linear, 6 A-law, 7 mu-law.
        format: u16,
        /// Channels.
        channels: u16,
        /// Samples in a second.
        rate: u32,
        /// Bits of a sample.
        bits: u16,
    },
    /// There is nothing to hear in it.
    #[error("no sample in it")]
    Empty,
    /// It is longer than [`FILE_MAX`].
    #[error("larger than {FILE_MAX} bytes")]
    Long,
}

impl Sounds {
    /// The sounds compiled into the program: `welcome`, `hold`, `confirm`, and the voices of
    /// demonstrations (`agent-1`, `caller-1` to `caller-4`).
    pub fn embedded() -> Sounds {
        let named = EMBEDDED.iter().map(|(name, bytes)| {
            // A test reads each of them: a build whose own sounds do not play is not delivered.
            let sound = Sound::from_wav(bytes).unwrap_or_else(|_| Sound::from_samples(&tone::comfort()));
            ((*name).to_owned(), Arc::new(sound))
        });
        Sounds {
            named: named.collect(),
            ring_back: Arc::new(Sound::from_samples(&tone::ring_back())),
            comfort: Arc::new(Sound::from_samples(&tone::comfort())),
        }
    }

    /// Adds the `*.wav` files of a directory; a file named as an embedded sound replaces it.
    ///
    /// # Errors
    /// The directory cannot be read, or one of its files is not 8 kHz mono A-law, mu-law or 16 bit.
    pub fn with_directory(mut self, directory: &Path) -> Result<Sounds, SoundError> {
        let read = |path: &Path, source| SoundError::Read { path: path.to_owned(), source };
        for entry in std::fs::read_dir(directory).map_err(|source| read(directory, source))? {
            let path = entry.map_err(|source| read(directory, source))?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            let (Some(name), true) = (name, path.extension().is_some_and(|extension| extension == "wav"))
            else {
                continue;
            };
            let bytes = std::fs::read(&path).map_err(|source| read(&path, source))?;
            let sound = Sound::from_wav(&bytes)
                .map_err(|fault| SoundError::Unplayable { path: path.clone(), fault })?;
            self.named.insert(name.to_owned(), Arc::new(sound));
        }
        Ok(self)
    }

    /// Whether a sound of this name can be played: a dialplan is checked against it at load.
    pub fn has(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// The name of every sound, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.named.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The sound of this name.
    pub fn sound(&self, name: &str) -> Option<&Arc<Sound>> {
        self.named.get(name)
    }

    /// One turn of the ring-back tone.
    pub fn ring_back(&self) -> &Arc<Sound> {
        &self.ring_back
    }

    /// One turn of comfort noise.
    pub fn comfort(&self) -> &Arc<Sound> {
        &self.comfort
    }
}

impl Sound {
    /// Encodes samples of 8 kHz. No sample at all becomes one frame of silence.
    pub fn from_samples(samples: &[i16]) -> Sound {
        let law = |codec| {
            let bytes: Vec<u8> = samples.iter().map(|sample| g711::encode(codec, *sample)).collect();
            frames(&bytes, codec)
        };
        Sound { pcma: law(Codec::Pcma), pcmu: law(Codec::Pcmu) }
    }

    /// Reads a WAV file: 8 kHz, mono; A-law, mu-law or 16 bit.
    ///
    /// # Errors
    /// It is not one, or of another format.
    pub fn from_wav(bytes: &[u8]) -> Result<Sound, WavFault> {
        if bytes.len() > FILE_MAX {
            return Err(WavFault::Long);
        }
        let (mut format, mut audio) = (None, None);
        let mut chunks = bytes
            .strip_prefix(b"RIFF")
            .and_then(|rest| rest.get(4..))
            .and_then(|rest| rest.strip_prefix(b"WAVE"))
            .ok_or(WavFault::NotWav)?;
        while let Some((head, rest)) = chunks.split_at_checked(8) {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            let body = rest.get(..length).ok_or(WavFault::NotWav)?;
            match &head[..4] {
                b"fmt " => format = Some(Format::read(body)?),
                b"data" => audio = Some(body),
                _ => {}
            }
            // Chunks are padded to an even length; the last one's padding may be missing.
            chunks = rest.get(length + length % 2..).unwrap_or_default();
        }
        let (Some(format), Some(audio)) = (format, audio) else { return Err(WavFault::NotWav) };
        match audio {
            [] => Err(WavFault::Empty),
            _ => Ok(format.sound(audio)),
        }
    }

    /// How many frames of 20 ms it has; never 0.
    pub fn len(&self) -> usize {
        self.pcma.len()
    }

    /// Never: a sound has at least one frame.
    pub fn is_empty(&self) -> bool {
        self.pcma.is_empty()
    }

    /// The frame at `index`, counted round and round.
    pub fn frame(&self, codec: Codec, index: usize) -> &Frame {
        let frames = match codec {
            Codec::Pcma => &self.pcma,
            Codec::Pcmu => &self.pcmu,
        };
        &frames[index % frames.len()]
    }
}

/// How the samples of a WAV file are written.
#[derive(Clone, Copy)]
enum Format {
    Linear,
    Law(Codec),
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Format, WavFault> {
        let half = |at: usize| chunk.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        let whole = |at: usize| Some(u32::from(half(at)?) | u32::from(half(at + 2)?) << 16);
        let fields = (|| Some((half(0)?, half(2)?, whole(4)?, half(14)?)))();
        match fields.ok_or(WavFault::NotWav)? {
            (1, 1, RATE, 16) => Ok(Format::Linear),
            (6, 1, RATE, 8) => Ok(Format::Law(Codec::Pcma)),
            (7, 1, RATE, 8) => Ok(Format::Law(Codec::Pcmu)),
            (format, channels, rate, bits) => Err(WavFault::Format { format, channels, rate, bits }),
        }
    }

    fn sound(self, audio: &[u8]) -> Sound {
        match self {
            Format::Linear => {
                let samples = audio.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]]));
                Sound::from_samples(&samples.collect::<Vec<_>>())
            }
            Format::Law(codec) => {
                // Each law is translated once only: the file's own stays as it is.
                let law = |wanted| {
                    let mut bytes = audio.to_vec();
                    g711::translate(&mut bytes, codec, wanted);
                    frames(&bytes, wanted)
                };
                Sound { pcma: law(Codec::Pcma), pcmu: law(Codec::Pcmu) }
            }
        }
    }
}

fn frames(bytes: &[u8], codec: Codec) -> Box<[Frame]> {
    let silence = [g711::encode(codec, 0); FRAME];
    let frame = |chunk: &[u8]| {
        let mut frame = silence;
        frame[..chunk.len()].copy_from_slice(chunk);
        frame
    };
    if bytes.is_empty() { Box::new([silence]) } else { bytes.chunks(FRAME).map(frame).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(format: u16, rate: u32, bits: u16, audio: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        for half in [format, 1] {
            file.extend(half.to_le_bytes());
        }
        file.extend(rate.to_le_bytes());
        file.extend((rate * u32::from(bits) / 8).to_le_bytes());
        for half in [bits / 8, bits] {
            file.extend(half.to_le_bytes());
        }
        file.extend(b"LIST\x03\0\0\0abc\0data");
        file.extend(u32::try_from(audio.len()).unwrap().to_le_bytes());
        file.extend(audio);
        file
    }

    #[test]
    fn every_embedded_sound_plays_and_is_louder_than_comfort_noise() {
        for (name, bytes) in EMBEDDED {
            let sound = Sound::from_wav(bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"));
            let samples: Vec<i16> = (0..sound.len())
                .flat_map(|n| sound.frame(Codec::Pcma, n).map(|byte| g711::decode(Codec::Pcma, byte)))
                .collect();
            assert!(tone::level(&samples) > -35.0, "{name} at {} dBov", tone::level(&samples));
            assert!(Sounds::embedded().has(name));
        }
    }

    #[test]
    fn a_file_of_each_kind_is_cut_into_frames_of_both_laws() {
        let tone = tone::sine(1_000.0, 8_000, 200);
        let linear: Vec<u8> = tone.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let expected = Sound::from_samples(&tone);
        assert_eq!(Sound::from_wav(&wav(1, 8_000, 16, &linear)), Ok(Sound::from_samples(&tone)));
        assert_eq!(expected.len(), 2);
        assert_eq!(
            expected.frame(Codec::Pcma, 3)[40..],
            [0xD5; 120],
            "the rest of the last frame is silence"
        );
        for (format, codec) in [(6, Codec::Pcma), (7, Codec::Pcmu)] {
            let encoded: Vec<u8> = tone.iter().map(|sample| g711::encode(codec, *sample)).collect();
            let sound = Sound::from_wav(&wav(format, 8_000, 8, &encoded)).unwrap();
            assert_eq!(sound.frame(codec, 0), expected.frame(codec, 0));
            assert_eq!(sound.len(), 2);
        }
    }

    #[test]
    fn a_file_that_cannot_be_played_says_what_to_do() {
        assert_eq!(Sound::from_wav(b"OggS"), Err(WavFault::NotWav));
        assert_eq!(Sound::from_wav(&wav(6, 8_000, 8, b"")), Err(WavFault::Empty));
        assert_eq!(Sound::from_wav(&wav(6, 8_000, 8, &[1; 9])[..50]), Err(WavFault::NotWav));
        let fault = Sound::from_wav(&wav(1, 44_100, 16, &[0; 4])).unwrap_err();
        assert!(fault.to_string().contains("convert it to 8000 Hz mono"), "{fault}");
    }

    #[test]
    fn a_directory_adds_sounds_and_replaces_embedded_ones() {
        let directory = std::env::temp_dir().join(format!("bandeau-sounds-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("welcome.wav"), wav(6, 8_000, 8, &[0xD5; 10])).unwrap();
        std::fs::write(directory.join("closed.wav"), wav(7, 8_000, 8, &[0xFF; 400])).unwrap();
        std::fs::write(directory.join("notes.txt"), "not a sound").unwrap();
        let sounds = Sounds::embedded().with_directory(&directory);
        std::fs::write(directory.join("broken.wav"), "x").unwrap();
        let broken = Sounds::embedded().with_directory(&directory);
        std::fs::remove_dir_all(&directory).unwrap();
        let sounds = sounds.unwrap();
        assert_eq!(sounds.sound("welcome").map(|sound| sound.len()), Some(1));
        assert_eq!(sounds.sound("closed").map(|sound| sound.len()), Some(3));
        assert!(sounds.has("hold") && !sounds.has("notes"));
        assert!(matches!(broken, Err(SoundError::Unplayable { .. })));
    }
}
