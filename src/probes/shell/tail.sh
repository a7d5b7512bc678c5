put "@STK1 END $nonce $total"
}
{ stk; exit; }
