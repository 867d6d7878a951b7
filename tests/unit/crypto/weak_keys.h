#ifndef TESTS_UNIT_CRYPTO_WEAK_KEYS_H
#define TESTS_UNIT_CRYPTO_WEAK_KEYS_H
/* Moduli of 2048 bits in hex. Made for these tests: the product of two primes of the form that the broken
 * library chose; of two primes at a distance of 500 bits; with the factor 751; and a sound one. */
static const char modulus_roca[] =
    "ce38d4a654c81b1d492a6c858709761c3287ebc393af0684e566ffa0f5ba3e729539991cb0babf0a9ccc7a4d24b18fbf"
    "e48d5fc16aa2aa5d75446004d3c0ee8d637d7fca0f5afe179c0291549cbfdde843f78ca48c6929379808a66aa7700c56"
    "9a9ff903738f5bf26094ac9e84d49346efeb58599d658e15a5abd1ee00b7b5c81b2f7ac110e6b4d7ce0d7e4c2919a9c6"
    "d25d882cabb9a8c809033c9fd949b9b3fdd836b56315bad9a8970aaab5d5ff6d3a46cbec870a4f5650481bc7668d664a"
    "a20e5d5baacd0250b200e1abeebd810e95496085409928bb79d0da6996fe47c4da89b35f0a088f14a8a76f7bfc987b93"
    "429412b6054b329ca3c6d1b8382dcb5d";
static const char modulus_close[] =
    "c99deadcab7a598a95b6a73195ddbf112deafb63099aa22a270aec7b8f517e3360c44a7c6020198ca5fe927cede932a4"
    "ef66c4eccb93c447d3fc071bea053bbd3c224a615fa00e2a78ba1c6ecce2664a5de3790724ec3ac3eb762c9cba0cf4db"
    "a9b4369e7ba30391c9dd71c0409db8d9fdf9e1b3229cec49302dfb861f18522e6f9344c5856341b5ddb2f5ba2e07f85c"
    "c78abe4c3c6bbdcf432a311e14eedae811628f292046cd72c345fbd4e5947dd4ee419e92cb6d4f15082df6aa4cb54101"
    "c0d3e1c2aa1deab45e0ab01b38dcb75f1e64538f425b526cf75e4663315c088b60d128de9a3e69aafec4eaf64cf858ca"
    "0aacca150feb09f5b2f2e484e71b801d";
static const char modulus_small[] =
    "98d51eaf11d0b0fa6afdec60150f83c9c55ebd4347839a6d6dd6c486b14aa0487f41ec8b1b144056a30dc5b650f67508"
    "0d00076ed68d856804af93e12c99e1451cfbbc114b02a1a37f64bc99d449ee38aa8bc8bc96eb395d16fec8d3b476062d"
    "a7a50ab0a2fa5b09764777cedbd71c2b145a79e959989a9fed5671aefbbc6ef9ab589d01596918c827b7cf4a673a0bae"
    "8b1ed344ad7ae19ac83285f372f01c9dea7ee0bee065e5e1b1f77a1c6f0ac1c31cf84c9891b74e5c6ea275cefbadb0c0"
    "5e8301c1498ce5f907682c9c846ded19246323f936002493297a4e754d35054e8a8986239c2944dbfb41c3690e83286d"
    "c78974eb0debc850c08f2bce7e2996e9";
static const char modulus_good[] =
    "a9040492ca294808fb23e11bd39d2934bc1d7a1fa126f3948c39b008e7d88066bbee8bdd975aba531510319bea4243ce"
    "77f18fef3c6fcbb0ca4eb645c7777596598329466e68b197f78c7db1dd9e0fc09476bc3b0a32a365db2f4a8b5460be4c"
    "722b6858d4a0f83f92c031341121a1cb5e6867f10c9a9f4b35f021698a13be101f5e0c2d9fad9a059c6bbe95afeb58f8"
    "2709e5b46a2d26d0fc6911cfd12301731b645ca2fa050c23fffef596b5e5794eef52a62effffa093ac0f4d2f5f89171a"
    "aaee6d5d534fd54c3282a3a4d7ff2dbff09fb33587fa9796a7805485454bb1b1dba489c5eca87a3df567812f033546a3"
    "5480c0224e5f0b693b3c5cfbe653e81d";

/* Published as an example by github.com/hoefling/dsa-1571: process 13 of a 32-bit machine. */
static const char modulus_debian[] = "b10d121121c6dff5e0e4428a9d334183c5ab92b1b6e4df74bd2bcf10dc12cc2d"
                                     "5117b39624324371a905376295df4deae793b65d2151a7573fe7ecdd6a897115"
                                     "57e24627de6d114904b6fce6024205db13ec30be8576e95f09ad9bb9d9af71be"
                                     "02a5d1cc61fb9d4e76ef46269a5545ab633c87047b53ddd2832cdce9f695be78"
                                     "8b4bf569d9514b18172e189d72a142c816f087859a17ca19f03cdb0f92293f8f"
                                     "ed0abeb8e931ebd280e590661fdce23be4266efb599a3c83554dbc1b21533b14"
                                     "ed8a108b8225a73371710b5add8f96b6b5c8b996eafc43e0bf8f1ad27b763b32"
                                     "00c21f364793b83aa98fe4aae4da08211c2e4b39b2524a8d965b16e4de9da993";

#endif
