"""From sound to words: frames, utterances, and what whisper.cpp hears in them."""
