import type { MailSetting } from '../../core/alert-settings.ts';
import type { Clock } from '../../core/ports.ts';
import type { AlertChannel } from './delivery.ts';
import { sendMail } from './smtp.ts';

export function mailChannel(setting: MailSetting, clock: Clock): AlertChannel {
  return {
    name: 'mail',
    send: ({ event, message }) =>
      sendMail(setting, {
        subject: `Tollgate: ${event.replaceAll('_', ' ')}`,
        text: `${message}\n`,
        at: clock.now(),
      }),
  };
}
