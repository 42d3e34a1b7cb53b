import { ModelBooks } from '../simulation/model-books.ts';
import { booksContract } from './books.ts';

booksContract('model in memory', async () => ({ books: new ModelBooks(), close: async () => {} }));
