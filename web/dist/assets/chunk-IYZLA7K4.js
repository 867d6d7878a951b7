var e={"mass.revoke":"Revoke a frozen list of certificates","halt.lift":"Lift a halt: issue again","issuer.revoke":"Revoke an issuing CA","key.unblock":"Allow a blocked key again"};export{e as a};
