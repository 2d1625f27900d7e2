"""The speech model: Whisper's weights as a package ships them, made into what whisper.cpp reads."""
