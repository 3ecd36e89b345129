import { describe } from 'vitest';
import { PageProgram } from './page-program.js';
import { tellStory } from './story.js';

describe('the example for Electron', () => tellStory('electron', PageProgram.open));
