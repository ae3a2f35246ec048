import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Who may see the dashboard: whoever the environment says. A real application asks its own login here. */
@Injectable()
export class StaffGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const given = http.getRequest<IncomingMessage>().headers.authorization ?? '';
    if (isSame(given, login())) return true;
    // The browser asks for a name and a password.
    http.getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Basic realm="The shop\'s jobs"');
    throw new UnauthorizedException();
  }
}

/** What a browser sends of a name and a password. */
export function login(): string {
  const { SHOP_USER: user = 'staff', SHOP_PASSWORD: password = 'at-3-am' } = process.env;
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
