import { Injectable } from '@nestjs/common';

/** What the shop cannot do without other people's servers. Tests replace it. */
@Injectable()
export class OutsideWorld {
  async mail(_to: string, _text: string): Promise<string> {
    throw new Error('There is no mail server in a sample.');
  }

  async askBank(_orderId: number, _price: number): Promise<'paid' | 'declined'> {
    throw new Error('There is no bank in a sample.');
  }

  async ship(_orderId: number): Promise<string> {
    throw new Error('There is no parcel service in a sample.');
  }
}
