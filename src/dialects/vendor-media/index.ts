import { taskDialect } from '../task-dialect.ts';
import { assemblyaiTranscription } from './assemblyai.ts';
import { deepgramSpeech, deepgramTranscription, elevenlabsSpeech, elevenlabsTranscription } from './audio.ts';
import { cohereTranscription } from './cohere.ts';
import { falImages, imagenImages, replicateImages, stabilityImages, textToImage, togetherImages } from './images.ts';

/** Images and audio in formats that only their makers' servers speak. */
export const vendorMedia = [
  taskDialect(falImages),
  taskDialect(imagenImages),
  taskDialect(replicateImages),
  taskDialect(stabilityImages),
  taskDialect(textToImage),
  taskDialect(togetherImages),
  taskDialect(deepgramSpeech),
  taskDialect(elevenlabsSpeech),
  taskDialect(deepgramTranscription),
  taskDialect(elevenlabsTranscription),
  taskDialect(assemblyaiTranscription),
  taskDialect(cohereTranscription),
] as const;
