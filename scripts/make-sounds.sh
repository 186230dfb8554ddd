#!/bin/sh
# Makes the sounds of sounds/*.wav again. Needs: sox, espeak-ng. What it makes is committed, so
# nobody needs to run it to build; sounds/README.md says what each file is.
set -eu
cd "$(dirname "$0")/../sounds"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 8 kHz mono A-law, the band a telephone passes, at a level that leaves the louder half free.
finish() { sox -R "$1" -r 8000 -c 1 -e a-law "$2" highpass 250 lowpass 3400 gain -n -3; }

# say FILE VOICE SPEED PITCH TEXT
say() {
    espeak-ng -v "$2" -s "$3" -p "$4" -w "$work/said.wav" "$5"
    sox "$work/said.wav" "$work/trimmed.wav" silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse pad 0.1 0.2
    finish "$work/trimmed.wav" "$1"
}

say welcome.wav fr+f3 150 50 "Vous êtes en relation avec le SAMU. Ne raccrochez pas, un assistant de régulation va vous répondre."
say agent-1.wav fr+f2 155 55 "SAMU, bonjour, je vous écoute."
say caller-1.wav fr+m3 185 45 "Mon père a une douleur dans la poitrine depuis vingt minutes, il est en sueur, venez vite."
say caller-2.wav fr+f4 190 60 "Ma fille a avalé quelque chose, elle tousse, elle respire mal !"
say caller-3.wav fr+m7 160 35 "Bonjour, j'ai de la fièvre depuis trois jours et mon médecin n'est pas là."
say caller-4.wav fr+f1 180 50 "Il y a eu un accident sur la rocade, une moto, le conducteur ne bouge plus."

# Confirmation: two short notes.
sox -n -r 48000 "$work/first.wav" synth 0.12 sine 880 fade t 0.01 0.12 0.03
sox -n -r 48000 "$work/second.wav" synth 0.16 sine 1174.66 fade t 0.01 0.16 0.05
sox "$work/first.wav" "$work/second.wav" "$work/beep.wav"
finish "$work/beep.wav" confirm.wav

# Hold: four slow chords, notes one after the other, then a sentence; about 20 s, looped.
# note FILE HZ: a soft bell, a sine with its octave, dying away over a second and a half.
note() {
    sox -n -r 48000 "$1" synth 1.5 sine "$2" synth 1.5 sine mix "$(awk "BEGIN{print $2*2}")" fade p 0.02 1.5 1.45 gain -6
}
n=0
inputs=""
for hz in 261.63 329.63 392.00 523.25 392.00 329.63 \
          220.00 261.63 329.63 440.00 329.63 261.63 \
          349.23 440.00 523.25 698.46 523.25 440.00 \
          392.00 493.88 587.33 783.99 587.33 493.88; do
    note "$work/n.wav" "$hz"
    sox "$work/n.wav" "$work/note-$n.wav" pad "$(awk "BEGIN{print $n*0.55}")" 0
    inputs="$inputs $work/note-$n.wav"
    n=$((n + 1))
done
# shellcheck disable=SC2086 # a list of our own file names
sox -m $inputs "$work/music.wav" gain -n -14
espeak-ng -v fr+f3 -s 150 -p 50 -w "$work/said.wav" "Ne raccrochez pas, nous allons vous répondre."
sox "$work/said.wav" -r 48000 "$work/voice.wav" silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse gain -n -6 pad 0.3 0.7
sox "$work/music.wav" "$work/voice.wav" "$work/hold.wav"
# The music stays well below the voice: no normalisation of the whole beyond the voice's peak.
finish "$work/hold.wav" hold.wav

ls -l ./*.wav
