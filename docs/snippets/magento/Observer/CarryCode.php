<?php
namespace Operator\DistributorCode\Observer;

use Magento\Framework\Event\Observer;
use Magento\Framework\Event\ObserverInterface;
use Magento\Framework\Stdlib\CookieManagerInterface;

class CarryCode implements ObserverInterface
{
    private $cookies;

    public function __construct(CookieManagerInterface $cookies)
    {
        $this->cookies = $cookies;
    }

    public function execute(Observer $observer)
    {
        $code = $this->cookies->getCookie('upline_ref');
        if ($code) {
            $observer->getEvent()->getOrder()->setData('distributor_code', mb_substr(trim($code), 0, 200));
        }
    }
}
