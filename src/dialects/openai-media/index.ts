import { taskDialect } from '../task-dialect.ts';
import { openaiImageEdits, openaiImages, openaiImageVariations } from './images.ts';
import { openaiSpeech } from './speech.ts';
import { openaiTranscriptions, openaiTranslations } from './transcriptions.ts';

/** OpenAI's images and audio. */
export const openaiMedia = [
  taskDialect(openaiImages),
  taskDialect(openaiImageEdits),
  taskDialect(openaiImageVariations),
  taskDialect(openaiSpeech),
  taskDialect(openaiTranscriptions),
  taskDialect(openaiTranslations),
] as const;
