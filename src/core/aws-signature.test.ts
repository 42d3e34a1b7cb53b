import { describe, expect, it } from 'vitest';
import { type AwsIdentity, awsSignatureHeaders, type UnsignedRequest } from './aws-signature.ts';
import { Secret } from './secret.ts';

function signatureOf(headers: readonly string[]): string {
  return /Signature=([0-9a-f]{64})$/.exec(headers.at(-1) ?? '')?.[1] ?? '';
}

/** Worked examples with their answers: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
describe('requests to an object store', () => {
  const identity: AwsIdentity = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
    sessionToken: null,
  };
  const scope = { region: 'us-east-1', service: 's3', at: Date.UTC(2013, 4, 24) };
  const host = 'examplebucket.s3.amazonaws.com';
  const nothing = new Uint8Array(0);
  const cases: readonly (readonly [name: string, request: UnsignedRequest, signature: string])[] = [
    [
      'a part of an object',
      { method: 'GET', host, path: '/test.txt', headers: ['Range', 'bytes=0-9'], body: nothing },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'an object that is put',
      {
        method: 'PUT',
        host,
        path: '/test%24file.text',
        headers: ['date', 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class', 'REDUCED_REDUNDANCY'],
        body: Buffer.from('Welcome to Amazon S3.'),
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'a query without a value',
      { method: 'GET', host, path: '/?lifecycle', headers: [], body: nothing },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'a query whose order does not count',
      { method: 'GET', host, path: '/?prefix=J&max-keys=2', headers: [], body: nothing },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ];
  for (const [name, request, signature] of cases) {
    it(`signs ${name}`, () => expect(signatureOf(awsSignatureHeaders(request, scope, identity))).toBe(signature));
  }
});

/** The published test suite of the signature (`AKIDEXAMPLE`, 30 August 2015). */
describe('requests to other services', () => {
  const identity: AwsIdentity = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
    sessionToken: null,
  };
  const scope = { region: 'us-east-1', service: 'service', at: Date.UTC(2015, 7, 30, 12, 36) };
  const base = { method: 'GET', host: 'example.amazonaws.com', path: '/', headers: [], body: new Uint8Array(0) };

  it('signs a bare request', () => {
    const headers = awsSignatureHeaders(base, scope, identity);
    expect(headers.slice(0, 2)).toEqual(['x-amz-date', '20150830T123600Z']);
    expect(headers.at(-1)).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, ' +
        'Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    );
  });

  it('signs a query, sorted', () => {
    const headers = awsSignatureHeaders({ ...base, path: '/?Param2=value2&Param1=value1' }, scope, identity);
    expect(signatureOf(headers)).toBe('b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500');
  });

  it('tells temporary credentials by their token, and signs it', () => {
    const headers = awsSignatureHeaders(base, scope, { ...identity, sessionToken: new Secret('token') });
    expect(headers).toContain('x-amz-security-token');
    expect(headers.at(-1)).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
  });

  it('counts every day, region and service as its own', () => {
    const signatures = [
      scope,
      { ...scope, at: scope.at + 86_400_000 },
      { ...scope, region: 'eu-central-1' },
      { ...scope, service: 'other' },
      scope,
    ].map((one) => signatureOf(awsSignatureHeaders(base, one, identity)));
    expect(new Set(signatures).size).toBe(4);
    expect(signatures[4]).toBe(signatures[0]);
  });

  it('encodes an encoded path again', () => {
    const plain = awsSignatureHeaders({ ...base, path: '/model/a%3Ab/converse' }, scope, identity);
    const again = awsSignatureHeaders({ ...base, path: '/model/a:b/converse' }, scope, identity);
    expect(signatureOf(plain)).not.toBe(signatureOf(again));
  });
});
