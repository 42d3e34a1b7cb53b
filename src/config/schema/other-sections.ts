import { anything, key, listOf, map, mapOf, openMap, required, secret, text } from '../field.ts';

export const credentialList = listOf(
  map({
    credential_name: required(text(), 'Name that `litellm_credential_name` refers to.'),
    credential_values: required(mapOf(secret()), 'Connection values, e.g. `api_key`, `api_base`.'),
    credential_info: key(openMap(), 'Shown to administrators.'),
  }),
);

export const vectorStoreRegistry = listOf(
  map({
    vector_store_name: required(text(), 'Name.'),
    litellm_params: key(
      map({
        vector_store_id: required(text(), 'Id at the provider.'),
        custom_llm_provider: key(text(), 'Provider.'),
        vector_store_description: key(text(), 'Shown to callers.'),
        vector_store_metadata: key(anything(), 'Kept.'),
      }).catchall(anything()),
      'Where it is.',
    ),
  }).catchall(anything()),
);

export const callbackSettings = mapOf(openMap());
